import { DEFAULTS, type Failure, type Json, SignalboxError } from '@signalbox/protocol';
import { type Effect, type GateWatch, observe, openGate, type WatchEffect } from '@signalbox/sequencer';
import type { EffectContext } from './effect-context.ts';

type Of<T extends Effect['type']> = Extract<Effect, { type: T }>;

const KEEP_SAMPLES = 10;
const RECORD_RETRY_MS = 1_000;

/** What screens show of an open gate or a fence; none of it is in the log. */
export interface LiveGate {
  readonly step: string;
  readonly host: string;
  readonly use: WatchEffect['use'];
  readonly samples: readonly { readonly monotonicMs: number; readonly values: Record<string, Json> }[];
  readonly heldMs: number;
  readonly missing: Failure | undefined;
}

interface Watching {
  effect: WatchEffect;
  gate: GateWatch;
  live: LiveGate;
  proven: boolean;
  answerWithinMs: number;
  cancel: () => void;
}

const ANSWER_WITHIN_MS = 2_000;

/**
 * How long a host has for a sample, after the time that it had before ran out: twice as long, so that a slow one is not asked
 * again before it can answer, with more to do each time. Two such times fit into what may be missing.
 */
function longer(formerMs: number, { tolerateMs }: WatchEffect['spec']): number {
  return Math.max(formerMs, Math.min(formerMs * 2, tolerateMs / 2, DEFAULTS.queryTimeoutMs));
}

/** Asks hosts for samples, again and again, and tells the sequencer what gates, fences and proofs came to. */
export class Samplers {
  readonly #context: EffectContext;
  readonly #watching = new Map<string, Watching>();
  /** Records that are being asked. */
  readonly #asking = new Set<string>();
  #wanted: ReadonlySet<string> = new Set();
  onSample: (live: LiveGate, effect: WatchEffect) => void = () => {};

  constructor(context: EffectContext) {
    this.#context = context;
  }

  live(): readonly LiveGate[] {
    return [...this.#watching.values()].map((watching) => watching.live);
  }

  reconcile(effects: readonly Effect[]): void {
    const watches = effects.filter((effect) => effect.type === 'watch');
    const keys = new Set(watches.map((watch) => watch.key));
    for (const [key, watching] of this.#watching) {
      if (keys.has(key)) continue;
      watching.cancel();
      this.#watching.delete(key);
    }
    for (const effect of watches) this.#keepWatching(effect);
    const records = effects.filter((effect) => effect.type === 'record');
    this.#wanted = new Set(records.map(({ key }) => key));
    for (const record of records) this.#ask(record.key, () => this.#record(record));
  }

  /** Adjusted thresholds change what is asked for; the window begins anew with them. */
  #keepWatching(effect: WatchEffect): void {
    const { clock } = this.#context.ports;
    const known = this.#watching.get(effect.key);
    if (known && JSON.stringify(known.effect.spec) === JSON.stringify(effect.spec)) return;
    known?.cancel();
    const seed = effect.seed === undefined ? undefined : { atMs: clock.monotonicMs(), values: effect.seed };
    const { step, host, use } = effect;
    const watching: Watching = {
      effect,
      gate: openGate(effect.spec, seed),
      live: known?.live ?? { step, host, use, samples: [], heldMs: 0, missing: undefined },
      proven: false,
      answerWithinMs: Math.min(DEFAULTS.queryTimeoutMs, Math.max(ANSWER_WITHIN_MS, effect.everyMs * 2)),
      cancel: () => {},
    };
    this.#watching.set(effect.key, watching);
    this.#next(watching, 0);
  }

  #next(watching: Watching, waitMs: number): void {
    watching.cancel = this.#context.ports.clock.after(waitMs, () => {
      this.#sampleOnce(watching).catch((error: unknown) => this.#context.ports.log.error({ err: error }, 'sample'));
    });
  }

  async #sampleOnce(watching: Watching): Promise<void> {
    const { ports, queries } = this.#context;
    const { effect } = watching;
    const startedMs = ports.clock.monotonicMs();
    let values: Record<string, Json> | undefined;
    let sealed = '';
    let missing: Failure | undefined;
    try {
      const { host, probe, with: input } = effect;
      ({ values, sealed } = await queries.sample(host, probe, input, watching.answerWithinMs));
    } catch (error) {
      // [I11] No answer is a missing sample, never a good one.
      if (!(error instanceof SignalboxError)) throw error;
      missing = error.failure;
    }
    if (this.#watching.get(effect.key) !== watching) return;
    const atMs = ports.clock.monotonicMs();
    const ranOut = missing !== undefined && atMs - startedMs >= watching.answerWithinMs;
    if (ranOut) watching.answerWithinMs = longer(watching.answerWithinMs, effect.spec);
    const { watch, verdict } = observe(watching.gate, atMs, values);
    watching.gate = watch;
    const samples = values
      ? [...watching.live.samples, { monotonicMs: atMs, values }].slice(-KEEP_SAMPLES)
      : watching.live.samples;
    const heldMs = 'heldMs' in verdict ? verdict.heldMs : 0;
    watching.live = { ...watching.live, samples, heldMs, missing };
    this.onSample(watching.live, effect);
    await this.#tell(watching, verdict, sealed);
    if (this.#watching.get(effect.key) === watching)
      this.#next(watching, Math.max(0, startedMs + effect.everyMs - ports.clock.monotonicMs()));
  }

  /** `sealed`: the newest sample as its host signed it. */
  async #tell(
    { effect, ...watching }: Watching,
    verdict: ReturnType<typeof observe>['verdict'],
    sealed: string,
  ): Promise<void> {
    const { submit } = this.#context;
    const { step, host, use, waiting, key: watch } = effect;
    if (use === 'proof') {
      const own = this.#watching.get(effect.key);
      if (own) own.proven = verdict.kind === 'met';
      if (this.#allProven(step, waiting)) await submit({ type: 'proven', step, host: waiting, watch });
    } else if (use === 'fence') {
      if (verdict.kind === 'broken' || verdict.kind === 'failed') {
        const { missing } = watching.live;
        const unseen = verdict.kind === 'broken' && missing !== undefined;
        const why = unseen ? `${verdict.why}: ${missing.message} [${missing.code}]` : verdict.why;
        const seen = unseen ? { unseen } : { sealed };
        await submit({ type: 'fenceBroke', step, host, values: verdict.values, why, ...seen, watch });
      }
    } else if (verdict.kind === 'met') {
      await submit({ type: 'gateMet', step, host, values: verdict.values, heldMs: verdict.heldMs, watch, sealed });
    } else if (verdict.kind === 'failed') {
      const kind = watching.gate.spec.once ? 'once' : 'failIf';
      await submit({ type: 'gateFailed', step, host, values: verdict.values, why: verdict.why, kind, watch });
    }
  }

  #allProven(step: string, waiting: string): boolean {
    const proofs = [...this.#watching.values()].filter(
      ({ effect }) => effect.use === 'proof' && effect.step === step && effect.waiting === waiting,
    );
    return proofs.length > 0 && proofs.every((proof) => proof.proven);
  }

  /** Runs `ask` unless it is running already; it goes on by itself until it is not wanted any more. */
  #ask(key: string, ask: () => Promise<void>): void {
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    ask()
      .catch((error: unknown) => this.#context.ports.log.error({ err: error }, 'ask'))
      .finally(() => this.#asking.delete(key));
  }

  async #record({ key, step, host, probe, with: input }: Of<'record'>): Promise<void> {
    const { queries, submit, ports } = this.#context;
    while (this.#wanted.has(key)) {
      try {
        const { values, sealed } = await queries.sample(host, probe, input);
        if ((await submit({ type: 'recorded', step, host, values, watch: key, sealed })).length > 0) return;
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        ports.log.info({ step, host, code: error.code }, 'not recorded yet');
      }
      await new Promise<void>((resolve) => ports.clock.after(RECORD_RETRY_MS, resolve));
    }
  }
}
