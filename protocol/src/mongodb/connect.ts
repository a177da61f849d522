import type { MongoClient } from 'mongodb';
import { z } from 'zod';
import type { HostContext } from '../host.ts';
import { SecretRef } from '../secret.ts';
import { type MongoProblem, mongoProblem } from './problem.ts';

/** A parameter of type `mongodb`: the URI is read on the host that connects, and is nowhere else [I9]. */
export const MongoConnection = z.strictObject({ uri: SecretRef, caFile: z.string().min(1).optional() });
export type MongoConnection = z.infer<typeof MongoConnection>;

export interface MongoAccess {
  connection: MongoConnection;
  /** Makes of a problem what the caller throws. */
  fail: (problem: MongoProblem) => Error;
  /** One member alone, whatever its state: `host:port`. Else the whole set, and its primary answers. */
  member?: string;
}

/** An election takes about 10 s with MongoDB's own settings: a question is given up before, and asked again. */
const SELECT_WITHIN_MS = 5_000;

/**
 * One connection for one piece of work. Nothing is pooled between questions: a gate asks every few seconds, and a fresh
 * connection cannot be one that a failover left half dead.
 * @throws what `fail` makes of it.
 */
export async function withMongo<T>(
  context: HostContext,
  { connection, fail, member }: MongoAccess,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const uri = await context.secret(connection.uri);
  const { MongoClient } = await import('mongodb');
  let client: MongoClient | undefined;
  const leave = () => void client?.close();
  context.signal.addEventListener('abort', leave, { once: true });
  try {
    client = new MongoClient(member === undefined ? uri : memberUri(uri, member), {
      appName: MONGO_APP_NAME,
      serverSelectionTimeoutMS: SELECT_WITHIN_MS,
      connectTimeoutMS: SELECT_WITHIN_MS,
      maxPoolSize: 2,
      readPreference: 'primary',
      ...(member !== undefined && { directConnection: true, readPreference: 'primaryPreferred' }),
      ...(connection.caFile !== undefined && { tls: true, tlsCAFile: connection.caFile }),
    });
    await client.connect();
    return await work(client);
  } catch (error) {
    const problem = mongoProblem(error);
    throw problem ? fail(problem) : error;
  } finally {
    context.signal.removeEventListener('abort', leave);
    await client?.close();
  }
}

/** What Signalbox calls itself; its own connections are nobody's writer. */
export const MONGO_APP_NAME = 'signalbox';

/** The same account and options, but one host. `mongodb+srv` finds hosts by DNS, and one member is not found that way. */
function memberUri(uri: string, member: string): string {
  const [, srv, login = '', , rest = ''] = /^mongodb(\+srv)?:\/\/([^/@]*@)?([^/?]*)(.*)$/.exec(uri) ?? [];
  const options = rest.includes('?') ? rest : `${rest === '' ? '/' : rest}?`;
  const kept = options.replace(/([?&])(replicaSet|directConnection|loadBalanced)=[^&]*/gi, '$1');
  return `mongodb://${login}${member}${kept}${srv === undefined ? '' : '&tls=true'}`.replace(/\?&+/, '?');
}
