import { BUCKETS, STREAMS, subjects } from '@signalbox/protocol';
import { nuid } from 'nats';
import { type AuditLog, auditLog } from './audit-log.ts';
import { blobs } from './blobs.ts';
import { busError } from './codes.ts';
import { dial } from './connect.ts';
import type { CoordinatorContext } from './context.ts';
import { isNoResponders, isTimeout, toBusError } from './errors.ts';
import { inspect } from './inspect.ts';
import { leases } from './leases.ts';
import type { Link } from './link.ts';
import { mailbox } from './mailbox.ts';
import { hostToken, idToken, runToken, tokenAt } from './names.ts';
import { peers } from './peers.ts';
import type { BusOptions, CoordinatorBus } from './port.ts';
import { readStream } from './read-stream.ts';
import { openReports } from './reports.ts';
import { runLog } from './run-log.ts';
import { answerOf, Endpoints } from './service.ts';
import { COORDINATOR_SERVICE } from './service-names.ts';
import { ensureConsumers, ensureStreams, STREAM_LIMITS, type StreamLimits } from './streams.ts';
import { Valve } from './valve.ts';

export interface CoordinatorBusOptions extends BusOptions {
  /** 1 on a single server, 3 on a cluster. Default 1. */
  replicas?: number;
  limits?: Partial<StreamLimits>;
  /** The server's `/healthz`: the only place that tells of a disk that is truly full. */
  healthUrl?: string;
  /** Version of the program, shown by `$SRV.INFO`. */
  version?: string;
}

/** Position of the host in `sb.<mesh>.health.<host>`. */
const HOST_TOKEN = 3;

/** With what a program keeps besides its runs. */
export interface MeshBus extends CoordinatorBus {
  readonly audit: AuditLog;
}

/** @throws SB-BUS-UNREACHABLE, SB-BUS-AUTH, SB-BUS-TOO-OLD, SB-BUS-NO-JETSTREAM, SB-BUS-SUBJECT. */
export async function connectCoordinator(options: CoordinatorBusOptions): Promise<MeshBus> {
  hostToken(options.mesh);
  const link = await dial(options);
  try {
    return coordinatorBus(await contextOf(link, options.mesh), options);
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function contextOf(link: Link, mesh: string): Promise<CoordinatorContext> {
  try {
    // Asks for the account, so an account without JetStream is found out here and not at the first append.
    const jsm = await link.nc.jetstreamManager();
    return { mesh, link, js: link.nc.jetstream(), jsm, subjects: subjects(mesh) };
  } catch (error) {
    if (!isNoResponders(error)) throw toBusError(error, 'looking for JetStream');
    throw busError('SB-BUS-NO-JETSTREAM', `JetStream does not answer at ${link.nc.getServer()}`, { cause: error });
  }
}

function coordinatorBus(context: CoordinatorContext, options: CoordinatorBusOptions): MeshBus {
  const { link, js, jsm, mesh, subjects: s } = context;
  const status = new Valve(link);
  const service = new Endpoints(link, {
    name: COORDINATOR_SERVICE,
    description: 'The Signalbox coordinator: runs runbooks',
    metadata: { mesh, ...(options.version === undefined ? {} : { version: options.version }) },
    // A queue of its own: in a shared one, a coordinator that hangs would keep its part of the requests from the others.
    queue: nuid.next(),
  });
  const hostBucket = () => js.views.kv(BUCKETS.hosts, { bindOnly: true });

  return {
    get connected() {
      return link.connected;
    },
    stats: link.stats,
    onConnection: link.onConnection,
    close: link.close,
    ...runLog(context),
    ...blobs(context),
    ...leases(context),
    ...peers(context),
    ...mailbox(context),
    audit: auditLog(context),

    async prepare(hosts) {
      const limits = { ...STREAM_LIMITS, ...options.limits };
      await link.exchange('preparing streams', () =>
        ensureStreams({ js, jsm }, { mesh, replicas: options.replicas ?? 1, limits }),
      );
      await link.exchange('preparing consumers', async () => {
        await Promise.all(hosts.map((host) => ensureConsumers(jsm, mesh, host)));
      });
    },

    reports: (run, epoch, handler) => openReports(context, { run, epoch, handler }),

    async query(host, verb, data, timeoutMs) {
      const subject = s.query(hostToken(host), idToken(verb));
      return await link.exchange(`asking ${host} for ${verb}`, async () => {
        try {
          return answerOf(await link.nc.request(subject, data, { timeout: timeoutMs }));
        } catch (error) {
          if (isNoResponders(error) || isTimeout(error)) return undefined;
          throw error;
        }
      });
    },

    async onBeat(handler) {
      await link.ready();
      const subscription = link.nc.subscribe(s.all.health, {
        callback: (error, message) => {
          if (error) return link.log('warn', 'health subscription failed', { error: error.message });
          handler(tokenAt(message.subject, HOST_TOKEN), message.data).then(
            (reply) => link.connected && message.respond(reply),
            (failed: unknown) => link.log('error', 'handling a beat failed', { error: String(failed) }),
          );
        },
      });
      await link.subscribed('subscribing to health');
      return async () => subscription.unsubscribe();
    },

    async putHost(name, data) {
      await link.exchange(`storing host ${name}`, async () => (await hostBucket()).put(hostToken(name), data));
    },

    async getHosts() {
      return await link.exchange('reading hosts', async () => {
        const found = new Map<string, Uint8Array>();
        for await (const { key, value, operation } of await (await hostBucket()).history()) {
          if (operation === 'PUT') found.set(key, value);
        }
        return found;
      });
    },

    async serve(verbs, handler) {
      const serve = (verb: string) => service.add(s.request(idToken(verb)), verb, (data) => handler(verb, data));
      const stops = await Promise.all(verbs.map(serve));
      return async () => {
        await Promise.all(stops.map((stop) => stop()));
      };
    },

    publishStatus(what, name, data) {
      status.publish(s.status(idToken(what), name), data);
      // Steps and samples come many at a time, and nobody waits for one of them.
      if (what === 'run' || what === 'page') link.hurry();
    },

    async readReports(run) {
      const filter = s.reportsOfRun(runToken(run));
      return await link.exchange(`reading reports of ${run}`, () =>
        readStream({ js, jsm }, { stream: STREAMS.reports, filter }),
      );
    },

    async readOutput(run, fromSequence, limit) {
      const filter = s.outputsOfRun(runToken(run));
      const chunks = await link.exchange(`reading output of ${run}`, () =>
        readStream({ js, jsm }, { stream: STREAMS.outputs, filter, fromSequence, limit }),
      );
      return { chunks, next: (chunks.at(-1)?.sequence ?? fromSequence - 1) + 1 };
    },

    inspect: () => inspect(context, options.healthUrl),
  };
}
