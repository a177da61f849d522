import type { Clock, JournalStorage, Toolbox, Workbench } from '@signalbox/agent';
import type { AgentBus, CoordinatorBus } from '@signalbox/bus';
import type { Host } from './host.ts';

export interface Self {
  readonly machine: string;
  readonly journal: string;
}

/** Something broken on purpose, between the real code and its ports. */
export interface Planted {
  /** What an agent takes itself for: the machine that it is on, and the journal that it has. */
  readonly self: (self: Self, host: Host) => Self;
  readonly storage: (storage: JournalStorage, host: Host) => JournalStorage;
  readonly agentClock: (clock: Clock) => Clock;
  readonly agentBus: (bus: AgentBus, host: Host) => AgentBus;
  readonly workbench: (bench: Workbench, host: Host) => Workbench;
  readonly toolbox: (toolbox: Toolbox, host: Host) => Toolbox;
  readonly coordinatorBus: (bus: CoordinatorBus) => CoordinatorBus;
  /** Hosts take a coordinator's word: what the proof of a signed plan would stop as well is left to the check that is meant. */
  readonly trusting?: true;
}

/** Nothing is. */
export const HONEST: Planted = {
  self: (self) => self,
  storage: (storage) => storage,
  agentClock: (clock) => clock,
  agentBus: (bus) => bus,
  workbench: (bench) => bench,
  toolbox: (tools) => tools,
  coordinatorBus: (bus) => bus,
};
