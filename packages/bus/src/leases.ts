import { BUCKETS } from '@signalbox/protocol';
import { headers } from 'nats';
import type { CoordinatorContext } from './context.ts';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import { hostToken, idToken, tokenAt } from './names.ts';
import type { CoordinatorBus, Lease } from './port.ts';
import { lastOn, sameBytes } from './stored.ts';

type Leases = Pick<CoordinatorBus, 'readLease' | 'readLeases' | 'writeLease' | 'dropLease'>;

const STREAM = `KV_${BUCKETS.leases}`;
/** Position of the name in `$KV.leases.<kind>.<name>`. */
const NAME_TOKEN = 3;

/**
 * The bucket `leases`, by compare-and-set on the revision. Everything is read from the stream's leader: a replica that
 * lags behind would show a lease that has just been renewed as one that stands still. The server counts no time here;
 * whoever waits for a lease to run out counts on a clock of its own.
 */
export function leases({ link, js, jsm }: CoordinatorContext): Leases {
  const subjectOf = (kind: string, name: string) => `$KV.${BUCKETS.leases}.${hostToken(kind)}.${name}`;
  const put = async (subject: string, data: Uint8Array, revision: number) => {
    try {
      // A key that is gone is marked as NATS's own tools mark it (source: NATS ADR-8), and is empty.
      const gone = headers();
      gone.set('KV-Operation', 'DEL');
      const expect = { lastSubjectSequence: revision };
      const { seq } = await js.publish(subject, data, { expect, ...(data.length === 0 ? { headers: gone } : {}) });
      return { revision: seq };
    } catch (error) {
      if (jsErrorNumber(error) !== JS_ERROR.wrongLastSequence) throw error;
      return 'conflict';
    }
  };

  const read = async (subject: string): Promise<Lease | undefined> => {
    const last = await lastOn(jsm, STREAM, subject);
    if (last === undefined || last.data.length === 0) return undefined;
    return { name: tokenAt(subject, NAME_TOKEN), revision: last.sequence, data: last.data };
  };

  return {
    readLease: (kind, name) => link.exchange(`reading lease ${name}`, () => read(subjectOf(kind, idToken(name)))),

    async readLeases(kind) {
      return await link.exchange(`reading leases of ${kind}`, async () => {
        const { state } = await jsm.streams.info(STREAM, { subjects_filter: subjectOf(kind, '*') });
        const found = await Promise.all(Object.keys(state.subjects ?? {}).map(read));
        return found.filter((lease) => lease !== undefined);
      });
    },

    async writeLease(kind, { name, revision, data }) {
      const subject = subjectOf(kind, idToken(name));
      return await link.exchange(`writing lease ${name}`, async () => {
        const written = await put(subject, data, revision);
        if (written !== 'conflict') return written;
        const last = await lastOn(jsm, STREAM, subject);
        // Our own, whose acknowledgement was lost; or the mark of one that is gone, in the place where there is nothing.
        if (last && last.sequence > revision && sameBytes(last.data, data)) return { revision: last.sequence };
        if (last && revision === 0 && last.data.length === 0) return await put(subject, data, last.sequence);
        return 'conflict';
      });
    },

    async dropLease(kind, { name, revision }) {
      const subject = subjectOf(kind, idToken(name));
      return await link.exchange(`dropping lease ${name}`, async () => {
        const marked = await put(subject, new Uint8Array(), revision);
        if (marked === 'conflict') return 'conflict';
        // The mark has done its work: a renewal by the old revision fails without it as well.
        await jsm.streams.purge(STREAM, { filter: subject, seq: marked.revision + 1 });
        return 'dropped';
      });
    },
  };
}
