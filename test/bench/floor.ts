import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { STREAMS, subjects } from '@signalbox/protocol';
import { connect, type JetStreamClient, type NatsConnection, nkeyAuthenticator } from 'nats';
import type { ProcessMesh } from '../lab/mesh.ts';
import { medianMs } from './figures.ts';

/** A host that is enrolled and has no agent: what the floor publishes disturbs nobody. */
export const FLOOR_HOST = 'floor';

const TIMES = 200;
/** About what an entry, a command and a report weigh with their envelope. */
const BODY = Buffer.alloc(1_024, 'x');
const JOURNAL_LINE = `${'x'.repeat(700)}\n`;

/** The parts of one step that nobody can leave out, in milliseconds, with a client that does nothing else. */
export interface Floor {
  /** One append to a run log, by compare-and-set. */
  readonly append: number;
  readonly command: number;
  /** One report, from the agents' account into the core's. */
  readonly report: number;
  /** One line written and brought to disk. */
  readonly fsync: number;
  /** /bin/true, from the call to its end. */
  readonly spawn: number;
}

/**
 * What one step must do, in order: the command and what led to it are appended and published, intent is brought to disk,
 * `accepted` is reported and appended, the process is run, the outcome is brought to disk, reported and appended.
 */
export function stepFloor({ append, command, report, fsync, spawn: process }: Floor): number {
  return 2 * append + command + 2 * report + 2 * fsync + process;
}

/** Measured on the same server and disk as everything else. */
export async function measureFloor(mesh: ProcessMesh): Promise<Floor> {
  const s = subjects(mesh.name);
  const core = await bareClient(mesh, mesh.nats.keys.coordinator.seed, '_INBOX');
  const agentKey = mesh.nats.agentKey(FLOOR_HOST);
  const agent = await bareClient(mesh, agentKey.seed, `_INBOX_${agentKey.publicKey}`);
  try {
    let last = 0;
    const append = await medianMs(TIMES, async () => {
      const expect = { lastSubjectSequence: last };
      last = (await core.js.publish(s.run('floor-1'), BODY, { expect })).seq;
    });
    const command = await medianMs(TIMES, (i) =>
      core.js.publish(s.command(FLOOR_HOST, `c-${i}`), BODY, { expect: { lastSubjectSequence: 0 } }),
    );
    const report = await medianMs(TIMES, (i) =>
      agent.js.publish(s.report(FLOOR_HOST, 'floor-1'), BODY, { msgID: `r-${i}` }),
    );
    await (await core.nc.jetstreamManager()).streams.purge(STREAMS.commands, { filter: s.commandsOf(FLOOR_HOST) });
    return { append, command, report, fsync: await measureFsync(mesh.dir), spawn: await measureSpawn() };
  } finally {
    await Promise.all([core.nc.close(), agent.nc.close()]);
  }
}

async function bareClient(
  mesh: ProcessMesh,
  seed: string,
  inboxPrefix: string,
): Promise<{ nc: NatsConnection; js: JetStreamClient }> {
  const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
  const nc = await connect({ servers: mesh.nats.url, authenticator, inboxPrefix });
  return { nc, js: nc.jetstream() };
}

async function measureFsync(dir: string): Promise<number> {
  const file = openSync(join(dir, 'floor.journal'), 'a', 0o600);
  try {
    return await medianMs(TIMES, () => {
      writeSync(file, JOURNAL_LINE);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
  }
}

async function measureSpawn(): Promise<number> {
  return await medianMs(TIMES, () => once(spawn('/bin/true', [], { stdio: 'ignore' }), 'exit'));
}
