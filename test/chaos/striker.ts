import { readFileSync } from 'node:fs';
import type { Point } from '@signalbox/protocol/points';
import { readProcessStat } from '@signalbox/protocol/readings';
import { keeperOf } from '../lab/keepers.ts';
import { type Kept, pause, send } from './kept.ts';
import type { Strike, Target } from './strikes.ts';
import type { Place, Trap, Traps } from './traps.ts';
import type { Cable, SmallDisk } from './yard.ts';

/** A strike that fell. */
export interface Struck {
  readonly type: Strike['type'];
  readonly target: Target;
  /** Where the program was; left out: anywhere. */
  readonly point?: Point;
  readonly atMs: number;
  /** When it was started again, woken, connected, or had room. */
  readonly backAtMs: number;
}

/** A program that can be struck. NATS passes no points, and only agents have a state folder. */
export interface Struckable {
  readonly kept: Kept;
  readonly traps: Traps;
  readonly stateDir: string;
}

export interface StrikerOptions {
  readonly agents: readonly Struckable[];
  readonly coordinators: readonly Struckable[];
  readonly nats: Struckable;
  /** What is left out cannot be had on this machine, or not on this night. */
  readonly cable: Cable | undefined;
  readonly disks: { readonly agent: { disk: SmallDisk; kept: Kept } | undefined; readonly nats: SmallDisk | undefined };
}

/** How long a point may take to be passed before the strike falls anyhow. */
const PATIENCE_MS = 5_000;
/** The same after a death, for what is passed as the program comes back. */
const START_MS = 6_000;
/** Where an agent has to die first, so that it passes these points as it comes back; and who has to die with it. */
const BEFORE: { readonly [P in Point]?: { readonly point: Point; readonly keeper: boolean } } = {
  'agent.recovery.begun': { point: 'agent.process.started', keeper: false },
  // What its keeper knows need not be asked.
  'agent.recovery.probed': { point: 'agent.process.started', keeper: true },
};
/** Longer than anybody who deals one is stopped. */
const BLOW_MS = 15_000;
const LOOK_MS = 10;

type Kill = Extract<Strike, { moment: unknown }>;
type AtPoint = Omit<Extract<Kill['moment'], { type: 'point' }>, 'type'>;

/** Carries strikes out, each to the moment when the victim is back. */
export class Striker {
  readonly #options: StrikerOptions;
  #traps = 0;

  constructor(options: StrikerOptions) {
    this.#options = options;
  }

  async strike(strike: Strike): Promise<Struck[]> {
    switch (strike.type) {
      case 'kill':
      case 'stop':
        return await this.#hit(strike);
      case 'full-disk':
        return await (strike.target === 'nats' ? this.#fillNats(strike) : this.#fillAgent(strike));
      case 'cut':
        return await this.#cut(strike);
    }
  }

  async #hit(strike: Kill): Promise<Struck[]> {
    const { moment } = strike;
    await pause(strike.restMs);
    if (moment.type === 'random') {
      await pause(moment.afterMs);
      return [await this.#fall(strike)];
    }
    const earlier = strike.target === 'agent' ? BEFORE[moment.point] : undefined;
    if (earlier === undefined) return await this.#springOrFall(strike, moment);
    const trap = await this.#lay(strike, moment, 'self-later');
    const first = { point: earlier.point, passage: 1 };
    const beside = earlier.keeper
      ? await this.#lay({ ...strike, type: 'kill', target: 'keeper' }, first, 'keeper')
      : undefined;
    const struck = await this.#springOrFall({ ...strike, type: 'kill' }, first);
    return [...struck, ...((await beside?.sprung(0)) ?? []), ...(await trap.sprung(START_MS))];
  }

  async #springOrFall(strike: Kill, moment: AtPoint): Promise<Struck[]> {
    const trap = await this.#lay(strike, moment, placeOf(strike));
    const struck = await trap.sprung(PATIENCE_MS);
    return struck.length > 0 ? struck : [await this.#fall(strike)];
  }

  /** A strike that falls now, wherever its victim is. An agent that has no keeper now is struck itself. */
  async #fall(strike: Kill): Promise<Struck> {
    const program = this.#program(strike);
    const keeper = strike.target === 'keeper' ? keeperOf(program.stateDir) : undefined;
    const target = strike.target === 'keeper' && keeper === undefined ? 'agent' : strike.target;
    const pid = keeper ?? (await program.kept.running());
    program.kept.stayAway(strike.forMs);
    const atMs = Date.now();
    send(pid, signalOf(strike.type));
    return await this.#back({ ...strike, target }, { victim: program.kept, pid, atMs });
  }

  async #back(
    { type, target, forMs }: Kill,
    { victim, pid, atMs }: { victim: Kept; pid: number; atMs: number },
  ): Promise<Struck> {
    await this.#landed(type, pid);
    if (type === 'stop') {
      await pause(forMs);
      if (target === 'keeper' || victim.pid === pid) send(pid, 'SIGCONT');
    } else if (target !== 'keeper') await victim.replaced(pid);
    return { type, target, atMs, backAtMs: Date.now() };
  }

  /** Whoever sprang the trap may be struck itself before it deals the blow, or stopped: a stop that comes late would last. */
  async #landed(type: Kill['type'], pid: number): Promise<void> {
    if (!(await within(BLOW_MS, () => hasFallen(type, pid)))) send(pid, signalOf(type));
  }

  #program({ target, number }: Kill): Struckable {
    const { agents, coordinators, nats } = this.#options;
    const programs = { agent: agents, keeper: agents, coordinator: coordinators, nats: [nats] }[target];
    const one = programs[number % programs.length];
    if (!one) throw new Error(`there is no ${target}`);
    return one;
  }

  /** Whichever program passes the point first is struck, or its keeper, or NATS at that moment. */
  async #lay(strike: Kill, { point, passage }: AtPoint, place: Place) {
    const { type, target } = strike;
    const { agents, coordinators, nats } = this.#options;
    const programs = point.startsWith('agent.') ? agents : coordinators;
    this.#traps += 1;
    const aim = target === 'nats' ? { pid: await nats.kept.running() } : {};
    const trap: Trap = { id: `${place}-${this.#traps}`, point, passage, signal: signalOf(type), ...aim };
    const victimOf = ({ kept }: Struckable) => (target === 'nats' ? nats.kept : kept);
    for (const program of programs) {
      victimOf(program).stayAway(strike.forMs);
      program.traps.lay(place, target === 'keeper' ? { ...trap, keeperOf: program.stateDir } : trap);
    }
    return {
      /** Waits so long for the trap to spring, takes it away, and waits until its victims are back: sometimes two. */
      sprung: async (forMs: number): Promise<Struck[]> => {
        const isSprung = () => programs.some(({ traps }) => traps.struck(place) !== undefined);
        await within(forMs, isSprung);
        for (const { traps } of programs) traps.remove(place);
        const atMs = Date.now();
        const fallen = programs.flatMap((program) => {
          const pid = program.traps.struck(place);
          return pid === undefined ? [] : [{ victim: victimOf(program), pid, atMs }];
        });
        return await Promise.all(fallen.map(async (one) => ({ ...(await this.#back(strike, one)), point })));
      },
    };
  }

  async #fillAgent({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { agent } = this.#options.disks;
    if (!agent) return [];
    return [await this.#fill('agent', { ...agent, afterMs, forMs })];
  }

  async #fillNats({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { disks, nats } = this.#options;
    if (!disks.nats) return [];
    return [await this.#fill('nats', { disk: disks.nats, kept: nats.kept, afterMs, forMs })];
  }

  /** Full for a while; then somebody makes room and starts the program again, as its messages say. */
  async #fill(
    target: Target,
    { disk, kept, afterMs, forMs }: { disk: SmallDisk; kept: Kept; afterMs: number; forMs: number },
  ): Promise<Struck> {
    await pause(afterMs);
    const atMs = Date.now();
    disk.fill();
    await pause(forMs);
    disk.empty();
    await kept.restart();
    return { type: 'full-disk', target, atMs, backAtMs: Date.now() };
  }

  async #cut({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { cable } = this.#options;
    if (!cable) return [];
    await pause(afterMs);
    const atMs = Date.now();
    cable.cut();
    await pause(forMs);
    cable.mend();
    return [{ type: 'cut', target: 'agent', atMs, backAtMs: Date.now() }];
  }
}

const signalOf = (type: Kill['type']) => (type === 'kill' ? 'SIGKILL' : 'SIGSTOP');

/** Whether a process feels the blow: it is stopped, or has ended, by this one or another. */
function hasFallen(type: Kill['type'], pid: number): boolean {
  const state = stateOf(pid);
  return state === undefined || state === 'Z' || (type === 'stop' && state === 'T');
}

function stateOf(pid: number): string | undefined {
  try {
    return readProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state;
  } catch {
    return undefined;
  }
}

/** Whether it came true in that time. */
async function within(ms: number, isTrue: () => boolean): Promise<boolean> {
  for (const until = performance.now() + ms; performance.now() < until; await pause(LOOK_MS)) if (isTrue()) return true;
  return isTrue();
}

const placeOf = ({ target }: Kill): Place => (target === 'nats' || target === 'keeper' ? target : 'self');
