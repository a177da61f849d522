import { fileURLToPath } from 'node:url';
import { until } from '@signalbox/protocol/testing';
import { createKeeperClient, type KeeperClient } from '../executor/keeper/client.ts';
import { createKeeperStarter } from '../executor/keeper/starter.ts';
import { isAlive } from '../executor/processes.ts';
import type { Starter } from '../executor/starter.ts';
import type { ProcessGroup } from '../ports.ts';
import { systemClock } from '../system.ts';

/** The built program: tests of a process run what is shipped. */
const PROGRAM = fileURLToPath(new URL('../../dist/keeper.js', import.meta.url));

/** A real keeper for one test, started by the first process. */
export interface TestKeeper {
  readonly client: KeeperClient;
  readonly starter: Starter;
  /** Keepers that were started so far. */
  readonly keepers: readonly ProcessGroup[];
  kill(): Promise<void>;
  end(): Promise<void>;
}

export function testKeeper(folder: string): TestKeeper {
  const real = createKeeperClient({ folder, program: PROGRAM, clock: systemClock });
  const keepers: ProcessGroup[] = [];
  const client: KeeperClient = {
    ...real,
    async start(request) {
      const kept = await real.start(request);
      if (!keepers.some(({ pid }) => pid === kept.keeper.pid)) keepers.push(kept.keeper);
      return kept;
    },
  };
  async function kill(): Promise<void> {
    for (const keeper of keepers) if (isAlive(keeper)) process.kill(keeper.pid, 'SIGKILL');
    await until('the end of the keeper', () => !keepers.some(isAlive));
  }
  return {
    client,
    starter: createKeeperStarter({ client, clock: systemClock }),
    keepers,
    kill,
    async end() {
      real.close();
      await kill();
    },
  };
}
