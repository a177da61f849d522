import { POINTS, type Point } from '@signalbox/protocol/points';
import { Dice, seededNumbers } from '@signalbox/sequencer/testing';

/** When a strike falls: as a program passes a point for the n-th time, or after a while, wherever the program is then. */
export type Moment =
  | { readonly type: 'point'; readonly point: Point; readonly passage: number }
  | { readonly type: 'random'; readonly afterMs: number };

export type Target = 'agent' | 'keeper' | 'coordinator' | 'nats';

/** Something bad, and for how long. `target` is what it is done to; `number` chooses among several of its kind. */
export type Strike =
  | {
      readonly type: 'kill' | 'stop';
      readonly target: Target;
      readonly number: number;
      /** Before it: sometimes its victim has just come back, sometimes it is long at work again. */
      readonly restMs: number;
      readonly moment: Moment;
      readonly forMs: number;
    }
  | { readonly type: 'full-disk'; readonly target: 'agent' | 'nats'; readonly afterMs: number; readonly forMs: number }
  | { readonly type: 'cut'; readonly target: 'agent'; readonly afterMs: number; readonly forMs: number };

/** Two lanes strike at once, so that the victims of one meet those of the other; within a lane one follows the other. */
export const LANES = ['hosts', 'middle'] as const;
export type Lane = (typeof LANES)[number];

const TARGETS: { readonly [L in Lane]: readonly [Target, ...Target[]] } = {
  hosts: ['agent', 'agent', 'agent', 'keeper'],
  middle: ['coordinator', 'coordinator', 'nats'],
};

const agentPoints = Object.keys(POINTS).filter(isPoint('agent.'));
const coordinatorPoints = Object.keys(POINTS).filter(isPoint('coordinator.'));

function isPoint(prefix: string) {
  return (name: string): name is Point => name in POINTS && name.startsWith(prefix);
}

/** Beats come every two seconds and a host is silent after five: some stops are longer. */
const STOP_MS = [300, 1_000, 2_500, 11_500] as const;
const AWAY_MS = [0, 200, 800, 2_500] as const;
const REST_MS = 3_000;
/** One beside so many kills. */
const KILLS_A_DISASTER = 12;

export interface StrikesOptions {
  readonly seed: number;
  readonly kills: number;
  /** Kills at these points and nothing else; left out: everything. */
  readonly points?: readonly Point[];
}

/** The strikes of a night: a seed gives the same ones each time. `kills` are those of type kill and stop. */
export function strikesOf({ seed, kills, points }: StrikesOptions): Record<Lane, Strike[]> {
  const middle = Math.floor(kills / LANES.length);
  const diceOf = (lane: Lane) => new Dice(seededNumbers(seed * LANES.length + LANES.indexOf(lane), 16 * (kills + 1)));
  if (points) {
    const [agents, others] = [points.filter(isPoint('agent.')), points.filter(isPoint('coordinator.'))];
    const share = agents.length === 0 ? 0 : others.length === 0 ? kills : kills - middle;
    return {
      hosts: killsAt(diceOf('hosts'), { target: 'agent', points: agents, kills: share }),
      middle: killsAt(diceOf('middle'), { target: 'coordinator', points: others, kills: kills - share }),
    };
  }
  return {
    hosts: anything(diceOf('hosts'), 'hosts', kills - middle),
    middle: anything(diceOf('middle'), 'middle', middle),
  };
}

function anything(dice: Dice, lane: Lane, kills: number): Strike[] {
  return Array.from({ length: kills }, (_, i): Strike[] => {
    const kill = killOf(dice, dice.pick(TARGETS[lane]));
    return i % KILLS_A_DISASTER === KILLS_A_DISASTER - 1 ? [kill, disasterOf(dice, lane)] : [kill];
  }).flat();
}

function killsAt(
  dice: Dice,
  { target, points, kills }: { target: Target; points: readonly Point[]; kills: number },
): Strike[] {
  return Array.from({ length: kills }, (): Strike => {
    const [point] = points.slice(dice.roll(points.length));
    const moment: Moment = point ? { type: 'point', point, passage: 1 } : { type: 'random', afterMs: 0 };
    return {
      type: 'kill',
      target,
      number: dice.roll(60),
      moment,
      restMs: dice.roll(REST_MS),
      forMs: dice.pick([...AWAY_MS]),
    };
  });
}

function killOf(dice: Dice, target: Target): Strike {
  const type = dice.chance(1, 4) ? 'stop' : 'kill';
  const lengths = type === 'stop' ? STOP_MS : AWAY_MS;
  const forMs = dice.pick([...lengths]);
  return { type, target, number: dice.roll(60), moment: momentOf(dice, target), restMs: dice.roll(REST_MS), forMs };
}

/** NATS and keepers have no points of their own: they are struck when a program that talks to them passes one. */
function momentOf(dice: Dice, target: Target): Moment {
  const afterMs = dice.roll(1_500);
  if (dice.chance(1, 4)) return { type: 'random', afterMs };
  const passage = 1 + dice.roll(3);
  const atAgent = target === 'agent' || target === 'keeper';
  const points = atAgent || (target === 'nats' && dice.chance(1, 2)) ? agentPoints : coordinatorPoints;
  const point = points[dice.roll(points.length)];
  return point === undefined ? { type: 'random', afterMs } : { type: 'point', point, passage };
}

function disasterOf(dice: Dice, lane: Lane): Strike {
  const afterMs = dice.roll(1_000);
  if (lane === 'middle') return { type: 'full-disk', target: 'nats', afterMs, forMs: 1_000 + dice.roll(2_000) };
  return dice.chance(1, 2)
    ? { type: 'cut', target: 'agent', afterMs, forMs: 500 + dice.roll(14_000) }
    : { type: 'full-disk', target: 'agent', afterMs, forMs: 1_000 + dice.roll(2_000) };
}
