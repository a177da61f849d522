import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';

const With = z.strictObject({ in: MongoConnection.describe('The replica set.') });

/** replSetGetStatus: 1 primary, 2 secondary, 7 arbiter. */
const HEALTHY_STATES = [1, 2, 7];

export const mongodbReplicaSet = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.replicaSet',
  version: 1,
  summary: 'State of a replica set: members, primary, versions, and whether writes are blocked.',
  schema: With,
  values: {
    set: { type: 'string', help: 'name of the replica set' },
    primary: { type: 'string', help: 'host:port of the primary; absent while there is none' },
    members: { type: 'number', help: 'configured members' },
    unhealthy: { type: 'number', help: 'members that are neither primary, secondary nor arbiter, or do not answer' },
    secondaryLagSeconds: { type: 'number', unit: 's', help: 'the secondary that is furthest behind; 0 without one' },
    version: { type: 'string', help: 'of the server that answers' },
    featureVersion: { type: 'string', help: 'featureCompatibilityVersion' },
    writeBlock: { type: 'boolean', help: 'whether user writes are blocked; absent before MongoDB 6.0' },
  },
  secrets: ['in'],

  sample: (context, { in: connection }) =>
    askMongo(context, connection, async (client) => {
      const admin = client.db('admin');
      const [set, server, feature] = await Promise.all([
        admin.command({ replSetGetStatus: 1 }),
        admin.command({ serverStatus: 1 }),
        admin.command({ getParameter: 1, featureCompatibilityVersion: 1 }),
      ]);
      const members: Member[] = set.members;
      const primary = members.find(({ state }) => state === 1);
      const behind = members
        .filter(({ state }) => state === 2)
        .map(({ optimeDate }) => (primary?.optimeDate.getTime() ?? Number.NaN) - optimeDate.getTime());
      const mode = server.repl?.userWriteBlockMode;
      return {
        set: String(set.set),
        ...(primary && { primary: primary.name }),
        members: members.length,
        unhealthy: members.filter(({ state, health }) => health !== 1 || !HEALTHY_STATES.includes(state)).length,
        ...(primary && { secondaryLagSeconds: Math.max(0, ...behind) / 1_000 }),
        version: String(server.version),
        featureVersion: String(feature.featureCompatibilityVersion.version),
        // 1 allowed, 2 blocked; a server before 6.0 does not say.
        ...(typeof mode === 'number' && { writeBlock: mode === 2 }),
      };
    }),
});

interface Member {
  name: string;
  state: number;
  health: number;
  optimeDate: Date;
}
