import type { LogHead } from '@signalbox/protocol';
import type { Effect, Input, RunState } from '@signalbox/sequencer';
import { Commands } from './commands.ts';
import { Pager } from './pager.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import { Samplers } from './samplers.ts';
import { Timers } from './timers.ts';

/** What the parts that carry out effects may use of their run. */
export interface EffectContext {
  readonly ports: Ports;
  readonly queries: HostQueries;
  readonly submit: (input: Input) => Promise<unknown>;
  readonly state: () => RunState;
  readonly head: () => LogHead;
  readonly runMs: () => number;
}

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
