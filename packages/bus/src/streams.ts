import { isDeepStrictEqual } from 'node:util';
import { BUCKETS, DEFAULTS, STREAMS, type Subjects, subjects } from '@signalbox/protocol';
import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats';
import { busError } from './codes.ts';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import { hostToken } from './names.ts';

/** How long a stream waits for the acknowledgement of a delivered copy before it delivers another. */
export const ACK_WAIT_MS = DEFAULTS.ackWaitMs;
const DAY_MS = 86_400_000;
const MIB = 1_048_576;
/** Of each lane of each coordinator, about 40 MiB. */
const AUDIT_ENTRIES = 50_000;
const AUDIT_DAYS = 400;

/** Bounds on streams, in bytes. They keep output and commands from taking the storage that the run log needs. */
export interface StreamLimits {
  commandBytes: number;
  controlBytes: number;
  reportBytes: number;
  outputBytes: number;
}

export const STREAM_LIMITS: StreamLimits = {
  commandBytes: 64 * MIB,
  controlBytes: 16 * MIB,
  reportBytes: 256 * MIB,
  outputBytes: 256 * MIB,
};

/** With settings that the client's types do not know yet; older servers ignore what they do not know. */
interface StreamShape extends Partial<StreamConfig> {
  name: string;
  /** 2.11: a message may carry its own time to live. */
  allow_msg_ttl?: boolean;
  /** 2.12: writes are acknowledged before they are synced. */
  persist_mode?: 'async';
}

export interface StreamOptions {
  mesh: string;
  /** 1 on a single server, 3 on a cluster. */
  replicas: number;
  limits: StreamLimits;
}

/** The streams of a mesh. Commands outlive their time to live only on servers before 2.11, there for a day. */
export function streamShapes({ mesh, replicas, limits }: StreamOptions): StreamShape[] {
  const { all, root } = subjects(mesh);
  const common = { storage: StorageType.File, num_replicas: replicas, retention: RetentionPolicy.Limits } as const;
  return [
    {
      ...common,
      name: STREAMS.commands,
      subjects: [all.commands],
      republish: live(root, 'cmd'),
      allow_msg_ttl: true,
      max_age: nanos(DAY_MS),
      max_bytes: limits.commandBytes,
      discard: DiscardPolicy.New,
    },
    {
      ...common,
      name: STREAMS.controls,
      subjects: [all.controls],
      republish: live(root, 'ctl'),
      max_age: nanos(7 * DAY_MS),
      max_bytes: limits.controlBytes,
      discard: DiscardPolicy.New,
    },
    {
      ...common,
      name: STREAMS.reports,
      subjects: [all.reports],
      max_age: nanos(30 * DAY_MS),
      max_bytes: limits.reportBytes,
      // Full: agents keep their reports in the journal and try again, rather than that one is lost unread.
      discard: DiscardPolicy.New,
    },
    {
      ...common,
      name: STREAMS.runs,
      subjects: [all.runs],
      // The only truth about a run: nobody takes anything out of it, coordinators included.
      deny_delete: true,
      deny_purge: true,
      discard: DiscardPolicy.New,
    },
    {
      ...common,
      name: STREAMS.audits,
      subjects: [all.audits],
      // Who was refused is not crowded out by who looks, nor anything by strangers: each lane has a bound of its own.
      max_msgs_per_subject: AUDIT_ENTRIES,
      max_age: nanos(AUDIT_DAYS * DAY_MS),
      deny_delete: true,
      deny_purge: true,
      discard: DiscardPolicy.Old,
    },
    { ...common, name: STREAMS.blobs, subjects: [all.blobs], discard: DiscardPolicy.New },
    {
      ...common,
      name: STREAMS.outputs,
      subjects: [all.outputs],
      max_age: nanos(7 * DAY_MS),
      max_bytes: limits.outputBytes,
      discard: DiscardPolicy.Old,
      ...(replicas === 1 ? { persist_mode: 'async' as const } : {}),
    },
  ];
}

/**
 * Agents listen to what a stream gives out after it has stored it, not to the publishing itself: a plain subscriber of the
 * stream's own subjects would also hear what the stream refuses (a conflicting id, a full store).
 */
function live(root: string, lane: 'cmd' | 'ctl') {
  return { src: `${root}.${lane}.*.*`, dest: `${root}.live.${lane}.{{wildcard(1)}}.{{wildcard(2)}}` };
}

/** Makes streams and buckets, or changes them to what is wanted. Safe to repeat, and from two coordinators at once. */
export async function ensureStreams(
  { jsm, js }: { jsm: JetStreamManager; js: JetStreamClient },
  options: StreamOptions,
): Promise<void> {
  for (const shape of streamShapes(options)) await ensureStream(jsm, shape, subjects(options.mesh).root);
  for (const bucket of Object.values(BUCKETS)) {
    await js.views.kv(bucket, { history: 1, storage: StorageType.File, replicas: options.replicas });
  }
}

/** The durable consumers of a host: commands and controls, each in a lane of its own. */
export async function ensureConsumers(jsm: JetStreamManager, mesh: string, host: string): Promise<void> {
  const s: Subjects = subjects(mesh);
  hostToken(host);
  const lane = (filter: string): Partial<ConsumerConfig> => ({
    durable_name: host,
    filter_subject: filter,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    // Unlimited: a command is withdrawn or expires, it is never given up because an agent kept crashing.
    max_deliver: -1,
    max_ack_pending: 1_000,
  });
  await jsm.consumers.add(STREAMS.commands, lane(s.commandsOf(host)));
  await jsm.consumers.add(STREAMS.controls, lane(s.controlsOf(host)));
}

async function ensureStream(jsm: JetStreamManager, shape: StreamShape, root: string): Promise<void> {
  const present = await currentConfig(jsm, shape.name);
  if (!present) {
    await jsm.streams.add(shape);
    return;
  }
  if (!present.subjects.every((subject) => subject.startsWith(`${root}.`))) {
    throw busError('SB-BUS-STREAM-MISMATCH', `stream ${shape.name} is there and holds ${present.subjects.join(', ')}`);
  }
  // Set when a stream is made and never after; a server that did not know it then keeps its stream as it is.
  const { persist_mode: _fixed, ...wanted } = shape;
  const have = new Map<string, unknown>(Object.entries(present));
  const differs = Object.entries(wanted).some(([key, value]) => !isDeepStrictEqual(have.get(key), value));
  if (differs) await jsm.streams.update(shape.name, wanted);
}

async function currentConfig(jsm: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (error) {
    if (jsErrorNumber(error) === JS_ERROR.streamNotFound) return undefined;
    throw error;
  }
}
