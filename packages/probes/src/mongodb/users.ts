import { MongoConnection } from '@signalbox/protocol/mongodb';
import type { MongoClient } from 'mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';

const With = z.strictObject({ left: MongoConnection, right: MongoConnection });

export const mongodbUsers = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.users',
  version: 1,
  summary: 'Compares users and roles of two replica sets: no mirror carries them.',
  schema: With,
  values: {
    missing: {
      type: 'number',
      help: 'users and roles of the left that the right does not have, or has with other rights',
    },
    lacking: { type: 'string', help: 'which' },
    users: { type: 'number', help: 'on the left' },
  },
  secrets: ['left', 'right'],

  async sample(context, { left, right }) {
    const [a, b] = await Promise.all([left, right].map((side) => askMongo(context, side, readGrants)));
    if (!a || !b) throw new Error('both sides were asked');
    const lacking = [...a].filter(([name, rights]) => b.get(name) !== rights).map(([name]) => name);
    return {
      missing: lacking.length,
      ...(lacking.length > 0 && { lacking: lacking.sort().slice(0, 20).join(', ') }),
      users: [...a.keys()].filter((name) => name.startsWith('user ')).length,
    };
  },
});

/** `user app@admin` and `role audit@admin` with what they may do. Passwords are not readable, and not compared. */
async function readGrants(client: MongoClient): Promise<Map<string, string>> {
  const admin = client.db('admin');
  const { users } = await admin.command({ usersInfo: { forAllDBs: true } });
  const grants = new Map<string, string>();
  for (const { user, db, roles } of users) grants.set(`user ${user}@${db}`, sorted(roles));
  for (const database of new Set<string>(['admin', ...users.map(({ db }: { db: string }) => db)])) {
    const { roles } = await client.db(database).command({ rolesInfo: 1, showPrivileges: true });
    for (const { role, db, privileges, roles: inherits } of roles) {
      grants.set(`role ${role}@${db}`, sorted(privileges) + sorted(inherits));
    }
  }
  return grants;
}

const sorted = (list: unknown[]) => JSON.stringify(list.map((item) => JSON.stringify(item)).sort());
