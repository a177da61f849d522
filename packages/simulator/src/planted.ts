import type { JournalStorage, Toolbox, Workbench } from '@signalbox/agent';
import type { AgentBus, CoordinatorBus } from '@signalbox/bus';
import type { HostQueries } from '@signalbox/coordinator';
import type { Host } from './host.ts';
import type { Chance } from './random.ts';

/** Something broken on purpose, between the real code and its ports. */
export interface Planted {
  readonly storage: (storage: JournalStorage, chance: Chance) => JournalStorage;
  readonly agentBus: (bus: AgentBus, chance: Chance) => AgentBus;
  readonly workbench: (bench: Workbench, chance: Chance) => Workbench;
  readonly toolbox: (toolbox: Toolbox, host: Host) => Toolbox;
  readonly coordinatorBus: (bus: CoordinatorBus, chance: Chance) => CoordinatorBus;
  readonly queries: (queries: HostQueries, chance: Chance) => HostQueries;
}

/** Nothing is. */
export const HONEST: Planted = {
  storage: (storage) => storage,
  agentBus: (bus) => bus,
  workbench: (bench) => bench,
  toolbox: (tools) => tools,
  coordinatorBus: (bus) => bus,
  queries: (queries) => queries,
};
