import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { few } from '../support/few.ts';
import { askMongo } from './ask.ts';
import { holdsAction, nameOf, type Privilege, type Wanted, wantedOf } from './held.ts';

const Action = z.string().regex(/^[A-Za-z]+$/, "an action of MongoDB's, such as find");

const With = z.strictObject({
  in: MongoConnection.describe('The replica set, with the account that is meant.'),
  cluster: z.array(Action).optional().describe('Actions that are wanted on the cluster.'),
  databases: z.array(z.string().min(1)).optional().describe('`shop`, or one collection: `local.oplog.rs`.'),
  actions: z.array(Action).optional().describe('Actions that are wanted on each of `databases`.'),
});

export const mongodbPrivileges = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.privileges',
  version: 1,
  summary:
    'Whether an account may do what it will have to, by what the server says of it (connectionStatus): nothing is tried.',
  schema: With,
  values: {
    missing: { type: 'number', help: 'actions that it may not do' },
    lacking: { type: 'string', help: 'which, and on what; absent without any' },
    held: { type: 'number', help: 'actions that it may do' },
    user: { type: 'string', help: 'who is logged in; absent when nobody is, and then nothing is held' },
  },
  secrets: ['in'],

  async sample(context, { in: connection, cluster = [], databases = [], actions = [] }) {
    const { user, privileges } = await askMongo(context, connection, async (client) => {
      const { authInfo } = await client.db('admin').command({ connectionStatus: 1, showPrivileges: true });
      const [first] = authInfo.authenticatedUsers;
      const held: Privilege[] = authInfo.authenticatedUserPrivileges;
      return { user: first && `${first.user}@${first.db}`, privileges: held };
    });
    const wanted = [
      ...cluster.map((action) => ({ action, on: { cluster: true } satisfies Wanted as Wanted })),
      ...databases.flatMap((name) => actions.map((action) => ({ action, on: wantedOf(name) }))),
    ];
    const lacking = wanted.filter(({ action, on }) => !holdsAction(privileges, on, action));
    const named = lacking.map(({ action, on }) => `${action} on ${nameOf(on)}`);
    return {
      missing: lacking.length,
      ...(named.length > 0 && { lacking: `${user ?? 'nobody is logged in'}: ${few(named)}` }),
      held: wanted.length - lacking.length,
      ...(user !== undefined && { user: String(user) }),
    };
  },
});
