import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { STREAMS, subjects } from '@signalbox/protocol';
import { AckPolicy, connect, type JetStreamClient, type NatsConnection, nkeyAuthenticator } from 'nats';
import type { ProcessMesh } from '../lab/mesh.ts';
import { median, medianMs } from './figures.ts';

/** A host that is enrolled and has no agent: what the floor publishes disturbs nobody. */
export const FLOOR_HOST = 'floor';
const RUN = 'floor-1';

/** Of each part, a round: few, so that rounds can alternate with what they are compared with. */
const TIMES = 40;
/** About what an entry, a command and a report weigh with their envelope. */
const BODY = Buffer.alloc(1_024, 'x');
const JOURNAL_LINE = `${'x'.repeat(700)}\n`;

/** The parts of one step that nobody can leave out, in milliseconds, with a client that does nothing else. */
export interface Floor {
  /** One append to a run log, by compare-and-set. */
  readonly append: number;
  /** One command, until it is stored and its host has heard it live. */
  readonly command: number;
  /** One report, until it is stored and has come through the run's durable consumer. */
  readonly report: number;
  /** One line written and brought to disk. */
  readonly fsync: number;
  /** /bin/true, from the call to its end. */
  readonly spawn: number;
  /** Of this, what the process itself takes: from its start to its end. */
  readonly process: number;
}

/**
 * What one step must do, in order: the command and what led to it are appended and published, intent is brought to disk,
 * `accepted` is reported and appended, the process is run, the outcome is brought to disk, reported and appended.
 */
export function stepFloor({ append, command, report, fsync, spawn: whole }: Floor): number {
  return 2 * append + command + 2 * report + 2 * fsync + whole;
}

export interface FloorMeter {
  /** One round. */
  measure(): Promise<Floor>;
  /** When the log of a run got each of so many successes: milliseconds of the server's clock, which counts finer. */
  successesOf(run: string, count: number): Promise<number[]>;
  close(): Promise<void>;
}

/** Measures on the same server, the same streams and the same disk as everything else. */
export async function openFloor(mesh: ProcessMesh): Promise<FloorMeter> {
  const s = subjects(mesh.name);
  const core = await bareClient(mesh, mesh.nats.keys.coordinator.seed, '_INBOX');
  const agentKey = mesh.nats.agentKey(FLOOR_HOST);
  const agent = await bareClient(mesh, agentKey.seed, `_INBOX_${agentKey.publicKey}`);
  const journal = openSync(join(mesh.dir, 'floor.journal'), 'a', 0o600);
  const commandHeard = await liveCommands(agent.nc, s.liveCommandsOf(FLOOR_HOST));
  const reports = await durableReports(core, s.reportsOfRun(RUN));
  let last = 0;
  let id = 0;

  return {
    async measure() {
      const append = await medianMs(TIMES, async () => {
        const expect = { lastSubjectSequence: last };
        last = (await core.js.publish(s.run(RUN), BODY, { expect })).seq;
      });
      const command = await medianMs(TIMES, () => {
        id += 1;
        const subject = s.command(FLOOR_HOST, `c-${id}`);
        return Promise.all([commandHeard(), core.js.publish(subject, BODY, { expect: { lastSubjectSequence: 0 } })]);
      });
      const report = await medianMs(TIMES, () => {
        id += 1;
        const subject = s.report(FLOOR_HOST, RUN);
        return Promise.all([reports.next(), agent.js.publish(subject, BODY, { msgID: `r-${id}` })]);
      });
      const fsync = await medianMs(TIMES, () => {
        writeSync(journal, JOURNAL_LINE);
        fdatasyncSync(journal);
      });
      return { append, command, report, fsync, ...(await measureSpawn()) };
    },
    successesOf: (run, count) => storedSuccesses(core.js, s.run(run), count),
    async close() {
      closeSync(journal);
      await reports.stop();
      await Promise.all([core.nc.close(), agent.nc.close()]);
    },
  };
}

/** @returns a promise of the next command that the host hears. */
async function liveCommands(nc: NatsConnection, subject: string): Promise<() => Promise<void>> {
  let heard = () => {};
  nc.subscribe(subject, { callback: () => heard() });
  await nc.flush();
  return () =>
    new Promise((resolve) => {
      heard = resolve;
    });
}

/** `next` resolves with the next report that comes; each is acknowledged, as the coordinator does it. */
async function durableReports(
  { nc, js }: { nc: NatsConnection; js: JetStreamClient },
  filter: string,
): Promise<{ next: () => Promise<void>; stop: () => Promise<unknown> }> {
  const consumers = (await nc.jetstreamManager()).consumers;
  await consumers.add(STREAMS.reports, { durable_name: RUN, filter_subject: filter, ack_policy: AckPolicy.Explicit });
  let heard = () => {};
  const messages = await (await js.consumers.get(STREAMS.reports, RUN)).consume({
    callback: (message) => {
      message.ack();
      heard();
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      heard = resolve;
    });
  return { next, stop: () => messages.close() };
}

async function storedSuccesses(js: JetStreamClient, subject: string, count: number): Promise<number[]> {
  const consumer = await js.consumers.get(STREAMS.runs, { filterSubjects: subject });
  const entries = await consumer.consume();
  const times: number[] = [];
  for await (const entry of entries) {
    if (entry.string().includes('"type":"StepSucceeded"')) times.push(entry.info.timestampNanos / 1e6);
    if (times.length === count) break;
  }
  await entries.close();
  return times;
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

async function measureSpawn(): Promise<Pick<Floor, 'spawn' | 'process'>> {
  const own: number[] = [];
  const whole = await medianMs(TIMES, async () => {
    const child = spawn('/bin/true', [], { stdio: 'ignore' });
    const startedMs = performance.now();
    await once(child, 'exit');
    own.push(performance.now() - startedMs);
  });
  return { spawn: whole, process: median(own) };
}
