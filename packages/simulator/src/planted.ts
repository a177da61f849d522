import type { Clock, JournalStorage, Toolbox, Workbench } from '@signalbox/agent';
import type { AgentBus, CoordinatorBus } from '@signalbox/bus';
import type { Host } from './host.ts';

/** Something broken on purpose, between the real code and its ports. */
export interface Planted {
  readonly storage: (storage: JournalStorage, host: Host) => JournalStorage;
  readonly agentClock: (clock: Clock) => Clock;
  readonly agentBus: (bus: AgentBus, host: Host) => AgentBus;
  readonly workbench: (bench: Workbench, host: Host) => Workbench;
  readonly toolbox: (toolbox: Toolbox, host: Host) => Toolbox;
  readonly coordinatorBus: (bus: CoordinatorBus) => CoordinatorBus;
}

/** Nothing is. */
export const HONEST: Planted = {
  storage: (storage) => storage,
  agentClock: (clock) => clock,
  agentBus: (bus) => bus,
  workbench: (bench) => bench,
  toolbox: (tools) => tools,
  coordinatorBus: (bus) => bus,
};
