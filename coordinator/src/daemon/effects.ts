import type { Effect } from '@signalbox/sequencer';
import { Commands } from './commands.ts';
import type { EffectContext } from './effect-context.ts';
import { Pager } from './pager.ts';
import { Samplers } from './samplers.ts';
import { Timers } from './timers.ts';

/**
 * Makes the world follow the log. `reconcile` is given all effects that are pending now; what is new is begun, what is no
 * longer pending is stopped, the rest goes on. It may be called as often as one likes.
 */
export class Effects {
  readonly commands: Commands;
  readonly samplers: Samplers;
  readonly pager: Pager;
  readonly #timers: Timers;
  #stopped = false;

  constructor(context: EffectContext) {
    this.commands = new Commands(context);
    this.samplers = new Samplers(context);
    this.pager = new Pager(context);
    this.#timers = new Timers(context);
  }

  reconcile(effects: readonly Effect[]): void {
    if (this.#stopped) return;
    this.commands.reconcile(effects);
    this.samplers.reconcile(effects);
    this.#timers.reconcile(effects);
    this.pager.reconcile(effects);
  }

  stop(): void {
    this.#stopped = true;
    this.commands.stop();
    this.samplers.reconcile([]);
    this.#timers.reconcile([]);
    this.pager.reconcile([]);
  }
}
