import {
  type Condition,
  describeBroken,
  describeMet,
  formatDuration,
  type Json,
  type Judgement,
  judge,
  type Sample,
} from '@signalbox/protocol';

/** What a gate or fence on one host asks for. */
export interface GateSpec {
  readonly until: Condition;
  readonly failIf: Condition | undefined;
  /** How long the condition must hold without a break. */
  readonly forMs: number;
  /** How long samples may be missing before the window is broken. */
  readonly tolerateMs: number;
  readonly once: boolean;
  /** How often samples are taken. Given, a gap between samples counts as missing ones, also when nobody says so. */
  readonly everyMs?: number;
}

/** The samples of the present window and what is needed of those before. Not in the log: a new leader begins anew. */
export interface GateWatch {
  readonly spec: GateSpec;
  readonly seed?: Sample;
  /** Oldest first; the condition has held, or only not yet, over all of them. */
  readonly window: readonly Sample[];
  /** The first sample since the gate opened: what failIf's trends are measured from. */
  readonly first: Sample | undefined;
  readonly lastGoodMs: number | undefined;
}

export type GateVerdict =
  | { readonly kind: 'waiting'; readonly heldMs: number; readonly judgements: readonly Judgement[] }
  | {
      readonly kind: 'met';
      readonly heldMs: number;
      readonly values: Record<string, Json>;
      readonly judgements: readonly Judgement[];
    }
  | {
      readonly kind: 'broken';
      readonly why: string;
      readonly values: Record<string, Json>;
      readonly judgements: readonly Judgement[];
    }
  | {
      readonly kind: 'failed';
      readonly why: string;
      readonly values: Record<string, Json>;
      readonly judgements: readonly Judgement[];
    };

/** `seed`: evidence that the log has of a fence, so that a new leader notices what changed while nobody led. */
export function openGate(spec: GateSpec, seed?: Sample): GateWatch {
  return { spec, ...(seed ? { seed } : {}), window: seed ? [seed] : [], first: undefined, lastGoodMs: seed?.atMs };
}

/**
 * One more sample, or the news that one is missing (`values` undefined) at `atMs` on the observer's monotonic clock.
 * A sample that breaks the condition starts the window again; a missing one does, once `tolerateMs` has passed.
 */
export function observe(
  watch: GateWatch,
  atMs: number,
  values: Record<string, Json> | undefined,
): { watch: GateWatch; verdict: GateVerdict } {
  if (values === undefined) return missing(watch, atMs);
  const sample: Sample = { atMs, values };
  return sampled(hasGap(watch, atMs) ? { ...watch, window: watch.seed ? [watch.seed] : [] } : watch, sample);
}

/** An observer that stood still saw nothing of what happened meanwhile: the window does not reach over that. */
function hasGap({ spec, lastGoodMs }: GateWatch, atMs: number): boolean {
  if (spec.everyMs === undefined || lastGoodMs === undefined) return false;
  return atMs - lastGoodMs > spec.tolerateMs + 2 * spec.everyMs;
}

function sampled(watch: GateWatch, sample: Sample): { watch: GateWatch; verdict: GateVerdict } {
  const { atMs, values } = sample;
  const first = watch.first ?? sample;
  const failed = failing(watch.spec, first, sample);
  if (failed) {
    return {
      watch: { ...watch, first },
      verdict: {
        kind: 'failed',
        why: `${describeMet(failed)}, which failIf does not wait out`,
        values,
        judgements: [failed],
      },
    };
  }
  const tried = judge(watch.spec.until, [...watch.window, sample]);
  const broke = tried.find((j) => j.breaks);
  if (!broke) return settle({ ...watch, first, lastGoodMs: atMs }, [...watch.window, sample], tried);
  // The sample may still be the beginning of a new window: a counter that moved is still again from here.
  const alone = judge(watch.spec.until, [sample]);
  const window = alone.some((j) => j.breaks) ? [] : [sample];
  const kind = watch.spec.once ? 'failed' : 'broken';
  return {
    watch: { ...watch, first, window, lastGoodMs: atMs },
    verdict: { kind, why: describeBroken(broke), values, judgements: tried },
  };
}

function settle(
  watch: GateWatch,
  window: readonly Sample[],
  judgements: readonly Judgement[],
): { watch: GateWatch; verdict: GateVerdict } {
  const { spec } = watch;
  const last = window.at(-1);
  const trimmed = trim(window, spec.forMs);
  const heldMs = (last?.atMs ?? 0) - (window[0]?.atMs ?? 0);
  // Trends are judged over the last `for` only: what rose half an hour ago says nothing of now.
  const now = judge(spec.until, trimmed);
  const met = now.every((j) => j.holds) && (spec.once || heldMs >= spec.forMs);
  const next = { ...watch, window: trimmed };
  if (met && last) return { watch: next, verdict: { kind: 'met', heldMs, values: last.values, judgements: now } };
  const unmet = judgements.find((j) => !j.holds);
  if (spec.once && last) {
    return {
      watch: next,
      verdict: { kind: 'failed', why: unmet ? describeBroken(unmet) : 'not met', values: last.values, judgements },
    };
  }
  return { watch: next, verdict: { kind: 'waiting', heldMs, judgements: now } };
}

/** Keeps the newest sample that is at least `forMs` older than the last, and all after it. */
function trim(window: readonly Sample[], forMs: number): readonly Sample[] {
  const lastMs = window.at(-1)?.atMs ?? 0;
  const start = window.findLastIndex((s) => lastMs - s.atMs >= forMs);
  // Two at least, so that a trend with a short `for` has something to compare.
  return window.slice(Math.max(0, Math.min(start, window.length - 2)));
}

function missing(watch: GateWatch, atMs: number): { watch: GateWatch; verdict: GateVerdict } {
  const goneMs = atMs - (watch.lastGoodMs ?? atMs);
  if (watch.window.length === 0 || (watch.lastGoodMs !== undefined && goneMs <= watch.spec.tolerateMs)) {
    const heldMs = (watch.lastGoodMs ?? 0) - (watch.window[0]?.atMs ?? watch.lastGoodMs ?? 0);
    return { watch, verdict: { kind: 'waiting', heldMs, judgements: [] } };
  }
  const why = goneMs < 1_000 ? 'no sample' : `no sample for ${formatDuration(Math.round(goneMs / 1_000) * 1_000)}`;
  return { watch: { ...watch, window: [] }, verdict: { kind: 'broken', why, values: {}, judgements: [] } };
}

/** Any comparison of failIf that holds ends the gate; its trends are measured from the first sample. */
function failing(spec: GateSpec, first: Sample, sample: Sample): Judgement | undefined {
  if (!spec.failIf) return undefined;
  return judge(spec.failIf, first === sample ? [sample] : [first, sample]).find((j) => j.holds);
}
