import type { MongoClient } from 'mongodb';

/** What `hello` says of a replica set, as the primary sees it. */
export interface MongoMembers {
  setName: string;
  primary: string;
  /** `host:port` of all that hold data, hidden ones excepted. */
  hosts: string[];
  localTimeMs: number;
}

/** Undefined when the server belongs to no replica set: without one there is no oplog. */
export async function readMembers(client: MongoClient): Promise<MongoMembers | undefined> {
  const hello = await client.db('admin').command({ hello: 1 });
  if (typeof hello.setName !== 'string') return undefined;
  return {
    setName: hello.setName,
    primary: String(hello.primary ?? ''),
    hosts: [...(hello.hosts ?? []), ...(hello.passives ?? [])].map(String),
    localTimeMs: hello.localTime instanceof Date ? hello.localTime.getTime() : Date.now(),
  };
}
