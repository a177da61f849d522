import type { Manner } from './host.ts';
import type { Chance } from './random.ts';

const FAULTS = [
  'agent dies',
  'agent dies at a touch',
  'coordinator dies',
  'coordinator dies at a touch',
  'coordinator sleeps',
  'host dies',
  'nats restarts',
  'agent cut off',
  'coordinator cut off',
  'bad network',
  'disk full',
  'clock jumps',
] as const;

/** At most one of them a day: two of the three end most runs short. */
const RARE_FAULTS = ['nats full', 'host reinstalled', 'host cloned'] as const;
const CLOCK_FAULT = 'coordinator clock jumps';
export const TAIL_FAULT = 'nats loses its tail';

/** Every kind of trouble that a day can bring besides actions that go wrong. */
export const TROUBLES: readonly string[] = [...FAULTS, ...RARE_FAULTS, CLOCK_FAULT, TAIL_FAULT];

export interface Fault {
  readonly what: (typeof FAULTS)[number] | (typeof RARE_FAULTS)[number] | typeof CLOCK_FAULT;
  readonly host: string;
  /** How long, or how much. */
  readonly ms: number;
}

/** NATS loses its power, and the end of what it had acknowledged: it comes back as it was a while before. */
export interface TailLoss {
  readonly atMs: number;
  readonly lostMs: number;
  readonly downMs: number;
}

const MANNERS: readonly Manner[] = [
  'fails and does nothing',
  'fails half-way',
  'does it and says it failed',
  'does it and loses its answer',
  'hangs half-way',
];

/** What goes wrong, and when. */
export interface Day {
  readonly stormMs: number;
  readonly faults: readonly { readonly atMs: number; readonly fault: Fault }[];
  readonly meddlings: readonly number[];
  /** Ways in which actions go wrong today. */
  readonly manners: readonly Manner[];
}

/** Nothing goes wrong but what somebody plans. */
export const CALM_DAY: Day = { stormMs: 0, faults: [], meddlings: [], manners: [] };

/**
 * What few days have. Its chance is one of its own, so that the other days are what they are without it, and their
 * numbers stay good.
 */
export function rareFaults(chance: Chance, { stormMs, faults }: Day, hosts: readonly string[]): Day['faults'] {
  const [what, host] = [chance.pick(RARE_FAULTS), chance.oneOf(hosts)];
  if (host === undefined || stormMs === 0 || !chance.hits(0.15)) return faults;
  return [...faults, { atMs: chance.fraction() * stormMs, fault: { what, host, ms: chance.between(300, 25_000) } }];
}

/** On few days, and by a chance of its own: a clock or two of those who coordinate goes wrong, or is set right. */
export function clockFaults(chance: Chance, { stormMs }: Day): Day['faults'] {
  if (stormMs === 0 || !chance.hits(0.1)) return [];
  return Array.from({ length: chance.between(1, 3) }, () => ({
    atMs: chance.fraction() ** 2 * stormMs,
    fault: { what: CLOCK_FAULT, host: '', ms: chance.between(100, 60_000) },
  }));
}

/** On few days, and by a chance of its own as well: people give gates more or less time, and say that they have read a page. */
export function drawSecondThoughts(chance: Chance, { stormMs }: Day): readonly number[] {
  if (stormMs === 0 || !chance.hits(0.15)) return [];
  return Array.from({ length: chance.between(1, 6) }, () => chance.fraction() ** 2 * stormMs);
}

/** On few days, and by a chance of its own as well. Mostly early, and little is lost: more would be a run of which nothing is left. */
export function drawTailLoss(chance: Chance, { stormMs }: Day): TailLoss | undefined {
  if (!chance.hits(0.05)) return undefined;
  const atMs = chance.fraction() ** 2 * stormMs;
  return { atMs, lostMs: chance.fraction() ** 2 * 20_000, downMs: chance.between(100, 8_000) };
}

/** Each day has its own few kinds of trouble: what needs one of them alone is found as well as what needs three together. */
export function drawDay(chance: Chance, hosts: readonly string[]): Day {
  // On a long day things stay broken for longer than a command may wait.
  const long = chance.hits(0.15);
  const stormMs = long ? chance.between(90_000, 150_000) : chance.between(5_000, 50_000);
  const kinds = FAULTS.filter(() => chance.hits(0.35));
  // Mostly early: most runs would be over before the storm is.
  const early = chance.hits(0.6) ? 2 : 1;
  const times = (count: number) => Array.from({ length: count }, () => chance.fraction() ** early * stormMs);
  const faults = times(chance.between(0, 8)).flatMap((atMs) => {
    const what = chance.oneOf(kinds);
    if (what === undefined) return [];
    const ms = long ? chance.between(20_000, 90_000) : chance.between(300, 25_000);
    return [{ atMs, fault: { what, host: chance.oneOf(hosts) ?? '', ms } }];
  });
  const meddlings = times(chance.hits(0.5) ? chance.between(0, 12) : 0);
  return { stormMs, faults, meddlings, manners: MANNERS.filter(() => chance.hits(0.4)) };
}
