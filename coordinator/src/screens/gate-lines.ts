import { type Condition, formatDuration, type Judgement, judge, type ReplyBody } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import { forecast, numbersOf, trendOf } from './trend.ts';
import { valueText, wantText } from './values.ts';

export type LiveGate = ReplyBody<'live'>['gates'][number];

/** An open gate on one host, with what was seen of it. */
export interface GateModel {
  readonly host: string;
  readonly until: Condition;
  readonly forMs: number;
  /** Until its timeout, in run time. */
  readonly leftMs: number | undefined;
  readonly live: LiveGate | undefined;
}

const HISTORY = 5;

/** A line for each comparison that does not hold yet, one line for all that do, and how old the sample is. */
export function gateLines(gate: GateModel, withHost: boolean): string[] {
  const prefix = withHost ? `${gate.host}: ` : '';
  const samples = gate.live?.samples ?? [];
  const newest = samples.at(-1);
  const missing = gate.live?.missing;
  if (newest === undefined) {
    const why = missing ? `: ${missing.code} ${safeText(missing.message)}` : ' yet';
    return [`${prefix}no sample${why}`];
  }
  const judged = judge(
    gate.until,
    samples.map(({ ageMs, values }) => ({ atMs: -ageMs, values })),
  );
  const open = judged.filter((j) => !j.holds);
  const met = judged.filter((j) => j.holds);
  const lines = open.map((j) => prefix + openLine(j, gate, samples));
  const age = `sample ${formatDuration(newest.ageMs)} old`;
  const lost = missing ? [`the last one did not come: ${missing.code}`] : [];
  const good = met.map((j) => `${safeText(j.key)} ${valueText(j.have)}  ok`);
  const hold = open.length === 0 && gate.live ? [holdText(gate.live.heldMs, gate.forMs)] : [];
  return [...lines, prefix + [...good, ...hold, age, ...lost].join('   ')];
}

function openLine(j: Judgement, gate: GateModel, samples: LiveGate['samples']): string {
  const numbers = numbersOf(samples, j.key);
  const history = numbers.slice(-HISTORY).map(({ value }) => String(value));
  const trail = history.length > 1 ? history.join(' ') : '';
  const says = forecast(j, trendOf(numbers), gate);
  return [`${safeText(j.key)} ${valueText(j.have)}`, `want ${wantText(j)}`, trail, says]
    .filter((part) => part !== '')
    .join('   ');
}

function holdText(heldMs: number, forMs: number): string {
  return `holds ${formatDuration(Math.min(heldMs, forMs))} of ${formatDuration(forMs)}`;
}
