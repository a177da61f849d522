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

export interface Fault {
  readonly what: (typeof FAULTS)[number];
  readonly host: string;
  /** How long, or how much. */
  readonly ms: number;
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

/** Each day has its own few kinds of trouble: what needs one of them alone is found as well as what needs three together. */
export function drawDay(chance: Chance): Day {
  const stormMs = chance.between(5_000, 60_000);
  const kinds = FAULTS.filter(() => chance.hits(0.35));
  const times = (count: number) => Array.from({ length: count }, () => chance.between(0, stormMs));
  const faults = times(chance.between(0, 6)).flatMap((atMs) => {
    const what = chance.oneOf(kinds);
    if (what === undefined) return [];
    return [{ atMs, fault: { what, host: chance.pick(['h1', 'h2', 'h3']), ms: chance.between(300, 25_000) } }];
  });
  const meddlings = times(chance.hits(0.5) ? chance.between(0, 12) : 0);
  return { stormMs, faults, meddlings, manners: MANNERS.filter(() => chance.hits(0.4)) };
}
