import { type AuditLane, STREAMS } from '@signalbox/protocol';
import { appendTo } from './append.ts';
import type { CoordinatorContext } from './context.ts';
import { hostToken } from './names.ts';
import type { StoredEntry } from './port.ts';
import { readStream } from './read-stream.ts';
import { lastOn } from './stored.ts';

const STREAM = STREAMS.audits;

/** What coordinators were asked. Nobody takes anything out of it; the oldest of a lane go when it is full or they are too old. */
export interface AuditLog {
  /** Appends by compare-and-set on the lane's last sequence (0: the first). @throws SB-BUS-TIMEOUT */
  append(
    to: { coordinator: string; lane: AuditLane },
    data: Uint8Array,
    expectedSequence: number,
  ): Promise<{ sequence: number } | 'conflict'>;
  /** The newest of a lane. */
  last(of: { coordinator: string; lane: AuditLane }): Promise<StoredEntry | undefined>;
  /** Of all coordinators, at most `limit`: from a place in the stream on, and not before a time. */
  read(range: { sinceMs: number; fromSequence: number; limit: number }): Promise<StoredEntry[]>;
}

export function auditLog(context: CoordinatorContext): AuditLog {
  const { link, js, jsm, subjects } = context;
  const subjectOf = ({ coordinator, lane }: { coordinator: string; lane: AuditLane }) =>
    subjects.audit(hostToken(coordinator), lane);
  return {
    async append(to, data, expectedSequence) {
      const place = { stream: STREAM, subject: subjectOf(to), what: `the requests of ${to.coordinator}` };
      return await appendTo(context, place, data, expectedSequence);
    },
    last: (of) => link.exchange('reading the last request', () => lastOn(jsm, STREAM, subjectOf(of))),
    read: (range) =>
      link.exchange('reading requests', () =>
        readStream({ js, jsm }, { stream: STREAM, filter: subjects.all.audits, ...range }),
      ),
  };
}
