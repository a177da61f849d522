import { MongoClient } from 'mongodb';

/** What a pod of Fast Data in miniature is given: see `writer.ts` and `reader.ts`. */
export const { MONGODB_URL = '', DATABASE = 'shop', POD_NAME = 'pod', LEDGER = '' } = process.env;

export const service = POD_NAME.replace(/-[^-]*$/, '');

/**
 * A client whose first connection has failed answers that it is closed from then on, also when the server is back. So that
 * ends the pod, which is started again.
 */
export async function connected(): Promise<MongoClient> {
  const client = new MongoClient(MONGODB_URL, {
    appName: service,
    serverSelectionTimeoutMS: 2_000,
    // A server that dies in the middle of an answer may never close the connection.
    socketTimeoutMS: 5_000,
  });
  try {
    return await client.connect();
  } catch {
    process.exit(1);
  }
}
