import type { HostContext } from '@signalbox/protocol';
import { type MongoConnection, type MongoMembers, readMembers, withMongo } from '@signalbox/protocol/mongodb';
import type { MongoClient } from 'mongodb';
import { actionError } from '../codes.ts';

const CODES = {
  unreachable: 'SB-ACT-MONGODB-UNREACHABLE',
  refused: 'SB-ACT-MONGODB-REFUSED',
  unclear: 'SB-ACT-MONGODB-UNCLEAR',
} as const;

/**
 * Asks the primary of a replica set, or one `member`.
 * @throws SB-ACT-MONGODB-UNREACHABLE, SB-ACT-MONGODB-REFUSED, SB-ACT-MONGODB-UNCLEAR
 */
export function askMongo<T>(
  context: HostContext,
  connection: MongoConnection,
  work: (client: MongoClient) => Promise<T>,
  member?: string,
): Promise<T> {
  const fail = ({ kind, text }: { kind: keyof typeof CODES; text: string }) => actionError(CODES[kind], text);
  return withMongo(context, { connection, fail, ...(member !== undefined && { member }) }, work);
}

/** @throws SB-ACT-MONGODB-REFUSED when the server is in no replica set. */
export async function membersOf(context: HostContext, connection: MongoConnection): Promise<MongoMembers> {
  const members = await askMongo(context, connection, readMembers);
  if (!members) throw actionError('SB-ACT-MONGODB-REFUSED', 'the server is in no replica set');
  return members;
}
