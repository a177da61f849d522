import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, until } from '@signalbox/protocol/testing';
import { MongoClient } from 'mongodb';
import type { Janitor } from '../../lab/janitor.ts';
import { ACCOUNTS, type Account, SIGNALBOX_PRIVILEGES } from './accounts.ts';
import type { MongodProgram } from './binary.ts';
import { Mongod } from './server.ts';

export interface SetOptions {
  readonly name: string;
  readonly dir: string;
  readonly members?: number;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A replica set of real servers with accounts; ends with its janitor. */
export class ReplicaSet {
  readonly name: string;
  readonly members: readonly Mongod[];
  /** As root; for the test to look at and set up, never for what is tested. */
  readonly root: MongoClient;

  /** Resolves when it has a primary and its accounts. */
  static async start(program: MongodProgram, options: SetOptions, janitor: Janitor): Promise<ReplicaSet> {
    const { name, dir, members: count = 1, parameters = {} } = options;
    mkdirSync(dir, { recursive: true });
    const keyFile = join(dir, 'key');
    writeFileSync(keyFile, randomBytes(96).toString('base64'), { mode: 0o400 });
    const ports = await freePorts(count);
    const members = ports.map(
      (port, i) =>
        new Mongod(program, { dir: join(dir, String(i)), port, setName: name, keyFile, parameters }, janitor),
    );
    await Promise.all(members.map((member) => member.start()));
    await initiate(name, members);
    const set = new ReplicaSet(name, members);
    janitor.add(`root of ${name}`, () => set.root.close());
    return set;
  }

  private constructor(name: string, members: readonly Mongod[]) {
    this.name = name;
    this.members = members;
    this.root = new MongoClient(this.uri('root'));
  }

  get addresses(): string {
    return this.members.map(({ address }) => address).join(',');
  }

  uri(account: Account): string {
    const login = `${account}:${ACCOUNTS[account].password}`;
    return `mongodb://${login}@${this.addresses}/?replicaSet=${this.name}&authSource=admin`;
  }

  async primary(): Promise<Mongod> {
    const { primary } = await this.root.db('admin').command({ hello: 1 });
    const found = this.members.find(({ address }) => address === primary);
    if (!found) throw new Error(`${this.name} has no primary`);
    return found;
  }
}

/** As an administrator does it, through the localhost exception: the set, then the first account, then the rest. */
async function initiate(name: string, members: readonly Mongod[]): Promise<void> {
  const [first] = members;
  if (!first) throw new Error('a set has members');
  const client = new MongoClient(`mongodb://${first.address}/?directConnection=true`);
  const config = {
    _id: name,
    members: members.map(({ address }, _id) => ({ _id, host: address, priority: _id === 0 ? 2 : 1 })),
    // A test that kills the primary is not about how long an election takes.
    settings: { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 },
  };
  const { password, roles } = ACCOUNTS.root;
  try {
    await client.db('admin').command({ replSetInitiate: config });
    await until(
      `a primary of ${name}`,
      async () => (await client.db('admin').command({ hello: 1 })).isWritablePrimary,
      {
        timeoutMs: 60_000,
      },
    );
    await client.db('admin').command({ createUser: 'root', pwd: password, roles });
  } finally {
    await client.close();
  }
  const root = new MongoClient(`mongodb://root:${password}@${first.address}/?directConnection=true`);
  try {
    const admin = root.db('admin');
    await admin.command({
      createRole: 'applies',
      privileges: [{ resource: { anyResource: true }, actions: ['anyAction'] }],
      roles: [],
    });
    await admin.command({
      createRole: 'signalbox',
      privileges: SIGNALBOX_PRIVILEGES,
      roles: [],
    });
    for (const account of ['app', 'mirror', 'signalbox'] as const) {
      const { password: pwd, roles: granted } = ACCOUNTS[account];
      await admin.command({ createUser: account, pwd, roles: granted });
    }
  } finally {
    await root.close();
  }
}
