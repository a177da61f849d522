import { AckPolicy, DeliverPolicy, type JetStreamClient, type JetStreamManager, nanos, ReplayPolicy } from 'nats';
import { busError } from './codes.ts';
import type { StoredEntry } from './port.ts';

export interface ReadRange {
  stream: string;
  /** Subject filter. */
  filter: string;
  fromSequence?: number;
  /** Not what was stored before, by the server's clock. Counts only where no `fromSequence` is given. */
  sinceMs?: number;
  limit?: number;
}

/** A reader that stops half-way leaves its consumer behind for so long. */
const LEFT_BEHIND_MS = 10_000;
const READ_TIMEOUT_MS = 15_000;
/** Asked for at once; bounds what is in memory on its way. */
const PAGE = 2_000;

/**
 * Reads what a stream holds now under a subject, in order, through a consumer in memory that is made for it: one request
 * for thousands of messages instead of one each.
 * @throws SB-BUS-TIMEOUT when fewer came than the stream has.
 */
export async function readStream(
  { js, jsm }: { js: JetStreamClient; jsm: JetStreamManager },
  { stream, filter, fromSequence = 0, sinceMs = 0, limit = Number.POSITIVE_INFINITY }: ReadRange,
): Promise<StoredEntry[]> {
  const info = await jsm.consumers.add(stream, {
    filter_subject: filter,
    ...beginning(fromSequence, sinceMs),
    ack_policy: AckPolicy.None,
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: nanos(LEFT_BEHIND_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  const wanted = Math.min(info.num_pending, limit);
  const entries: StoredEntry[] = [];
  try {
    const consumer = await js.consumers.get(stream, info.name);
    while (entries.length < wanted) {
      const before = entries.length;
      const batch = await consumer.fetch({ max_messages: Math.min(PAGE, wanted - before), expires: READ_TIMEOUT_MS });
      for await (const { seq, data } of batch) entries.push({ sequence: seq, data });
      if (entries.length === before) throw busError('SB-BUS-TIMEOUT', `${stream} gave ${before} of ${wanted} messages`);
    }
  } finally {
    // It goes by itself a little later, should this fail.
    await jsm.consumers.delete(stream, info.name).catch(() => {});
  }
  return entries;
}

function beginning(sequence: number, sinceMs: number) {
  if (sequence === 0 && sinceMs > 0)
    return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(sinceMs).toISOString() };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, sequence) };
}
