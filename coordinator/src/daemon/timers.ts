import type { Effect } from '@signalbox/sequencer';
import type { EffectContext } from './effect-context.ts';

/** A wall clock may be set, and a machine that was suspended has slept through its timers: it is looked at again. */
const LOOK_AGAIN_MS = 30_000;

/** One timer for the earliest thing that is due; when it fires, the sequencer finds out what it was. */
export class Timers {
  readonly #context: EffectContext;
  #cancel: () => void = () => {};

  constructor(context: EffectContext) {
    this.#context = context;
  }

  reconcile(effects: readonly Effect[]): void {
    this.#cancel();
    const { ports, runMs } = this.#context;
    const timers = effects.filter((effect) => effect.type === 'timer');
    const waits = timers.flatMap(({ runMs: dueMs, atMs }) => {
      if (dueMs !== undefined) return [dueMs - runMs()];
      return atMs === undefined ? [] : [atMs - ports.clock.wallMs()];
    });
    if (waits.length === 0) return;
    // One millisecond late rather than early: a tick that comes too soon would find nothing due.
    const waitMs = Math.max(1, Math.ceil(Math.min(...waits)) + 1);
    if (waitMs > LOOK_AGAIN_MS && timers.some(({ atMs }) => atMs !== undefined)) {
      this.#cancel = ports.clock.after(LOOK_AGAIN_MS, () => this.reconcile(timers));
      return;
    }
    this.#cancel = ports.clock.after(waitMs, () => {
      this.#context.submit({ type: 'tick' }).catch((error: unknown) => ports.log.error({ err: error }, 'tick'));
    });
  }
}
