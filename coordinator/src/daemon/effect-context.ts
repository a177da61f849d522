import type { LogHead, RunEvent } from '@signalbox/protocol';
import type { Input, RunState } from '@signalbox/sequencer';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';

/** What the parts that carry out effects may use of their run. */
export interface EffectContext {
  readonly ports: Ports;
  readonly queries: HostQueries;
  /** @returns what followed; nothing, too, when it has to be found out again. */
  readonly submit: (input: Input) => Promise<readonly RunEvent[]>;
  readonly state: () => RunState;
  readonly head: () => LogHead;
  readonly runMs: () => number;
}
