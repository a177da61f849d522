import { busError, type CoordinatorBus, type IncomingReport, type Unsubscribe } from '@signalbox/bus';
import { ACK_WAIT_MS, type StoredReport } from './broker.ts';
import type { Link } from './network.ts';
import type { Switchboard } from './switchboard.ts';

const SWEEP_MS = 5_000;

/** The coordinator's side of the simulated bus, with the promises of the real one (`CoordinatorBus`). */
export function coordinatorBus(link: Link, switchboard: Switchboard): CoordinatorBus {
  const { broker, life } = link;
  const last = (run: string) => link.exchange('reading the last entry', () => broker.logs.get(run)?.at(-1));
  const post = async (
    lane: 'commands' | 'controls',
    host: string,
    message: { id: string; data: Uint8Array },
    ttlMs = Number.POSITIVE_INFINITY,
  ) => {
    await link.exchange(`sending ${message.id}`, () => {
      const expiresAtMs = broker.expires ? life.timeline.nowMs + ttlMs : Number.POSITIVE_INFINITY;
      if (broker.post(host, lane, { ...message, expiresAtMs }) === 'stored') return;
      throw busError('SB-BUS-ID-CONFLICT', `${message.id} is stored already, with other content`);
    });
  };

  return {
    get connected() {
      return link.connected;
    },
    stats: { reconnects: 0, messagesIn: 0, messagesOut: 0 },
    onConnection: (listener) => link.onConnection(listener),
    close: async () => {},
    prepare: async () => {},

    async append(run, data, expectedSequence) {
      const outcome = await link
        .exchange('appending', () => broker.append(run, data, expectedSequence))
        .catch((error: unknown) => {
          if (codeOf(error) === 'SB-BUS-TIMEOUT') return 'unanswered' as const;
          throw error;
        });
      if (typeof outcome === 'number') return { sequence: outcome };
      // Somebody was first, or it was this very append whose answer was lost: the bytes tell.
      const found = await last(run).catch((error: unknown) => {
        if (outcome === 'taken') throw error;
        throw busError('SB-BUS-TIMEOUT', 'the append was not answered, and the log cannot be read');
      });
      if (found && found.sequence > expectedSequence) {
        return Buffer.compare(found.data, data) === 0 ? { sequence: found.sequence } : 'conflict';
      }
      if (outcome === 'taken') return 'conflict';
      throw busError('SB-BUS-TIMEOUT', 'the append was not answered, and it is not in the log yet');
    },
    lastEntry: last,
    readRun: (run) => link.exchange('reading a run', () => [...(broker.logs.get(run) ?? [])]),
    listRuns: () => link.exchange('listing runs', () => [...broker.logs.keys()]),

    putBlob: (sha256, data) => link.exchange('storing a blob', () => broker.blob(sha256, data)),
    getBlob: (sha256) => link.exchange('reading a blob', () => broker.blobs.get(sha256)),
    putHost: (name, data) => link.exchange('storing a host', () => void broker.hosts.set(name, data)),
    getHosts: () => link.exchange('reading hosts', () => new Map(broker.hosts)),

    sendCommand: (host, id, data, ttlMs) => post('commands', host, { id, data }, ttlMs),
    sendControl: (host, id, data) => post('controls', host, { id, data }),
    readLeases: (kind) => link.exchange('reading leases', () => broker.leases(kind)),
    writeLease: async (kind, lease) => {
      const revision = await link.exchange('writing a lease', () => broker.lease(kind, lease));
      return revision === 'conflict' ? revision : { revision };
    },
    dropLease: async (kind, lease) => {
      const revision = await link.exchange('dropping a lease', () => broker.lease(kind, lease));
      return revision === 'conflict' ? revision : 'dropped';
    },
    readLease: (kind, name) =>
      link.exchange('reading a lease', () => broker.leases(kind).find((lease) => lease.name === name)),
    servePeer: async (peer, handler) =>
      switchboard.servePeer(
        peer,
        life,
        answering(link, (_, data) => handler(data)),
      ),
    askPeer: async (peer, question, timeoutMs) => {
      await link.exchange(`asking ${peer}`, () => undefined);
      return await life.promise((resolve, reject) => {
        const giveUp = life.after(timeoutMs, () => reject(busError('SB-BUS-TIMEOUT', `${peer} has not answered`)));
        const answered = (answer: Uint8Array | undefined) => {
          giveUp();
          resolve(answer);
        };
        link.send(() => switchboard.askPeer(peer, question, (answer) => link.receive(() => answered(answer))));
      });
    },
    reports: async (run, epoch, handler) => await readReports(link, switchboard, { run, epoch, handler }),
    query: async (host, verb, data, timeoutMs) => {
      await link.exchange(`asking ${host}`, () => undefined);
      return await life.promise((resolve) => {
        const giveUp = life.after(timeoutMs, () => resolve(undefined));
        const answered = (answer: Uint8Array | undefined) => {
          giveUp();
          resolve(answer);
        };
        link.send(() => switchboard.ask(host, { verb, data }, (answer) => link.receive(() => answered(answer))));
      });
    },
    onBeat: async (handler) => switchboard.hear(life, answering(link, handler)),
    serve: async (_, handler) => switchboard.serve(life, answering(link, handler)),
    publishStatus: () => {},
    readReports: async (run) => (broker.reports.get(run) ?? []).map(({ data }, i) => ({ sequence: i + 1, data })),
    readOutput: async (_, from) => ({ chunks: [], next: from }),
    inspect: async () => {
      throw busError('SB-BUS-FAILED', 'nothing to inspect');
    },
  };
}

/** Hands a question on to a process, and its answer back. */
function answering(link: Link, handler: (about: string, data: Uint8Array) => Promise<Uint8Array | undefined>) {
  return (about: string, data: Uint8Array, reply: (answer: Uint8Array | undefined) => void) => {
    link.receive(
      () =>
        void handler(about, data).then(
          (answer) => answer && link.send(() => reply(answer)),
          () => {},
        ),
    );
  };
}

/**
 * The reports of a run, one after the other, each until it is acknowledged. The place is kept in the broker, so whoever
 * leads next goes on where this one stopped; what a sleeping leader has pulled is withheld from itself alone.
 */
async function readReports(
  link: Link,
  switchboard: Switchboard,
  { run, epoch, handler }: { run: string; epoch: number; handler: (report: IncomingReport) => Promise<void> },
): Promise<Unsubscribe> {
  const { broker, life } = link;
  let listening = true;
  let busy = false;
  const next = (): StoredReport | undefined =>
    broker.reports
      .get(run)
      ?.find(({ acked, againAtMs }) => !acked && (againAtMs.get(epoch) ?? 0) <= life.timeline.nowMs);
  const pump = () => {
    const report = next();
    if (!listening || busy || report === undefined || !link.connected || life.stopped) return;
    busy = true;
    report.againAtMs.set(epoch, life.timeline.nowMs + ACK_WAIT_MS);
    const { host, data } = report;
    const ack = () =>
      link.send(() => {
        report.acked = true;
      });
    const arrives = () => {
      handler({ host, run, data, ack }).then(
        () => life.reach(over),
        () => life.reach(over),
      );
    };
    const over = () => {
      busy = false;
      pump();
    };
    const ms = link.travelMs();
    if (ms === undefined) busy = false;
    else life.after(ms, arrives);
  };
  const sweep = () => {
    if (!listening) return;
    pump();
    life.after(SWEEP_MS, sweep);
  };
  await link.exchange('reading reports', () => undefined);
  const stop = switchboard.onReport(life, (of) => {
    if (of === run) life.after(1, pump);
  });
  sweep();
  return async () => {
    listening = false;
    stop();
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
