import type { Effect } from '@signalbox/sequencer';
import type { EffectContext } from './effect-context.ts';

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
    const waits = effects.flatMap((effect) => {
      if (effect.type !== 'timer') return [];
      if (effect.runMs !== undefined) return [effect.runMs - runMs()];
      return effect.atMs === undefined ? [] : [effect.atMs - ports.clock.wallMs()];
    });
    if (waits.length === 0) return;
    // One millisecond late rather than early: a tick that comes too soon would find nothing due.
    const waitMs = Math.max(1, Math.ceil(Math.min(...waits)) + 1);
    this.#cancel = ports.clock.after(waitMs, () => {
      this.#context.submit({ type: 'tick' }).catch((error: unknown) => ports.log.error({ err: error }, 'tick'));
    });
  }
}
