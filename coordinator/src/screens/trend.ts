import { formatClock, formatDuration, type Json, type Judgement, valueAt } from '@signalbox/protocol';

export interface AgedSample {
  /** How long ago, in milliseconds. */
  readonly ageMs: number;
  readonly values: Readonly<Record<string, Json>>;
}

export interface Trend {
  readonly way: 'rising' | 'falling' | 'steady' | 'unsteady';
  /** Change a second, over all samples; its sign is that of `way`. */
  readonly perSecond: number;
}

/** The numbers that one value had, oldest first. */
export function numbersOf(samples: readonly AgedSample[], key: string): { ageMs: number; value: number }[] {
  return samples.flatMap(({ ageMs, values }) => {
    const value = asNumber(valueAt({ ...values }, key));
    return value === undefined ? [] : [{ ageMs, value }];
  });
}

/** Where a value is going; undefined with fewer than three samples, because two points are always a line. */
export function trendOf(numbers: readonly { ageMs: number; value: number }[]): Trend | undefined {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined || numbers.length < 3) return undefined;
  const seconds = (first.ageMs - last.ageMs) / 1_000;
  if (seconds <= 0) return undefined;
  const perSecond = (last.value - first.value) / seconds;
  const steps = numbers.slice(1).map((n, i) => n.value - (numbers[i]?.value ?? n.value));
  const ups = steps.some((step) => step > 0);
  const downs = steps.some((step) => step < 0);
  if (ups && downs) return { way: 'unsteady', perSecond };
  if (!ups && !downs) return { way: 'steady', perSecond: 0 };
  return { way: ups ? 'rising' : 'falling', perSecond };
}

/**
 * What the trend says about when a bound will be met. An estimate only where the numbers carry one: a value that moves
 * the right way, and always that way. Otherwise the reason why there is none.
 */
export function forecast(
  { op, want, have }: Pick<Judgement, 'op' | 'want' | 'have'>,
  trend: Trend | undefined,
  { forMs, leftMs }: { forMs: number; leftMs: number | undefined },
): string {
  const [goal, now] = [asNumber(want), asNumber(have)];
  if (trend === undefined || goal === undefined || now === undefined || (op !== 'atMost' && op !== 'atLeast'))
    return '';
  if (trend.way === 'steady') return 'no estimate: it does not move';
  if (trend.way === 'unsteady') return 'no estimate: it goes up and down';
  const speed = `${trend.way} ${rate(Math.abs(trend.perSecond))}/s`;
  const right = op === 'atMost' ? 'falling' : 'rising';
  if (trend.way !== right) return `${speed}, no estimate because it is ${trend.way}`;
  const metMs = (Math.abs(goal - now) / Math.abs(trend.perSecond)) * 1_000;
  const hold = forMs > 0 ? ` + ${formatDuration(forMs)} hold` : '';
  const late = leftMs !== undefined && metMs + forMs > leftMs ? `, after the timeout in ${formatClock(leftMs)}` : '';
  return `${speed}, met in ~${formatDuration(roundMs(metMs))}${hold}${late}`;
}

/** An estimate is not better than a whole second. */
function roundMs(ms: number): number {
  return Math.max(1_000, Math.round(ms / 1_000) * 1_000);
}

function rate(perSecond: number): string {
  return perSecond >= 10 ? String(Math.round(perSecond)) : String(Number(perSecond.toPrecision(2)));
}

/** Rounded for a screen only; what decides is compared exactly, in the sequencer. */
function asNumber(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}
