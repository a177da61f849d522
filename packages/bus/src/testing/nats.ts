import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentBus, CoordinatorBus } from '../port.ts';
import { bytes, codeOf, startLab, until } from '../test-fixture.ts';
import { type Way, wayTo } from '../test-way.ts';
import type { BusWorld } from './contract.ts';

const STORAGE_BYTES = 8 * 1_048_576;
const LIMITS = { commandBytes: 65_536, controlBytes: 65_536, reportBytes: 65_536, outputBytes: 65_536 };

/** A real server, in which things can be made to go wrong. */
export async function openNats(): Promise<BusWorld> {
  const ways = new Map<CoordinatorBus | AgentBus, Way>();
  // Before the lab, so that it is closed after it: a connection that has lost its way does not end.
  onTestFinished(() => {
    for (const way of ways.values()) way.close();
  });
  const lab = await startLab({ maxStorageBytes: STORAGE_BYTES });
  const port = Number(new URL(lab.mesh.url).port);
  const store = join(lab.mesh.dir, 'store');
  const copy = join(lab.mesh.dir, 'store-as-it-was');
  const through = async <T extends CoordinatorBus | AgentBus>(to: (servers: string[]) => Promise<T>): Promise<T> => {
    const way = await wayTo(port);
    const bus = await to([way.url]);
    ways.set(bus, way);
    return bus;
  };
  const own = await lab.coordinator({ limits: LIMITS });
  await own.prepare(['a1', 'a2']);
  /** Everything but the connections stands still while what is stored is changed. */
  const offline = async (change: () => void) => {
    await lab.mesh.server.stop();
    change();
    await lab.mesh.restart();
    // JetStream comes up later than the connection.
    await until(async () => Array.isArray(await own.listRuns().catch(() => undefined)));
    await until(() => [...ways.keys()].every((bus) => bus.connected));
  };

  return {
    coordinator: () => through((servers) => lab.coordinator({ servers, limits: LIMITS })),
    agent: (host) => through((servers) => lab.agent(host, { servers })),
    loseAnswer: (bus) => ways.get(bus)?.loseAnswer(),
    remember: () => offline(() => cpSync(store, copy, { recursive: true })),
    putBack: () =>
      offline(() => {
        rmSync(store, { recursive: true });
        cpSync(copy, store, { recursive: true });
      }),
    async fill() {
      let last = 0;
      // Smaller and smaller ones, until not even the smallest has room.
      for (const size of [500_000, 50_000, 5_000, 500, 50, 1]) {
        const full = await codeOf(async () => {
          for (;;) {
            const appended = await own.append('filler', bytes('x'.repeat(size)), last);
            if (appended === 'conflict') return appended;
            last = appended.sequence;
          }
        });
        if (full !== 'SB-BUS-STORAGE-FULL') throw new Error(`filling ended with ${JSON.stringify(full)}`);
      }
    },
  };
}
