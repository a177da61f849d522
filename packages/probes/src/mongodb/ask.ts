import type { HostContext } from '@signalbox/protocol';
import { type MongoConnection, withMongo } from '@signalbox/protocol/mongodb';
import type { MongoClient } from 'mongodb';
import { probeError } from '../codes.ts';

/** Asks the primary of a replica set, or one `member`. @throws SB-PROBE-MONGODB, SB-PROBE-MONGODB-REFUSED */
export function askMongo<T>(
  context: HostContext,
  connection: MongoConnection,
  work: (client: MongoClient) => Promise<T>,
  member?: string,
): Promise<T> {
  const access = { connection, ...(member !== undefined && { member }) };
  return withMongo(
    context,
    {
      ...access,
      fail: ({ kind, text }) => probeError(kind === 'refused' ? 'SB-PROBE-MONGODB-REFUSED' : 'SB-PROBE-MONGODB', text),
    },
    work,
  );
}
