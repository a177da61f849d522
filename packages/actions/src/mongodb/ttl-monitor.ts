import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { askMongo, membersOf } from './ask.ts';

const With = z.strictObject({
  in: MongoConnection.describe('The replica set.'),
  enabled: z.boolean().describe('Whether documents are to be deleted when their time is over.'),
});
type With = z.infer<typeof With>;

/** Whether the TTL monitor is on, by member. */
type Monitors = Record<string, boolean>;

export const mongodbTtlMonitor = defineAction<With>({
  name: 'mongodb.ttlMonitor',
  version: 1,
  summary: 'Turns the deletion of outdated documents (TTL indexes) on or off, on every member of a replica set.',
  schema: With,
  effect: 'reversible',
  does: 'TTL monitor enabled: {enabled}',
  undoes: 'as before',
  touches: [],
  secrets: ['in'],
  receipt: { monitors: 'by member, whether it was on before' },

  async check(context, { in: connection }) {
    const monitors = await readMonitors(context, connection);
    const on = Object.values(monitors).filter(Boolean).length;
    return { before: { monitors }, note: `on at ${on} of ${Object.keys(monitors).length} members`, problems: [] };
  },

  async run(context, { in: connection, enabled }) {
    const before = await readMonitors(context, connection);
    await setMonitors(context, connection, Object.fromEntries(Object.keys(before).map((member) => [member, enabled])));
    return {};
  },

  async undo(context, { in: connection }, receipt) {
    await setMonitors(context, connection, monitorsBefore(receipt));
    return {};
  },

  async probe(context, { in: connection, enabled }, { direction, receipt }) {
    const now = await readMonitors(context, connection);
    const wanted = direction === 'undo' ? monitorsBefore(receipt) : undefined;
    const right = Object.entries(now).filter(([member, on]) => on === (wanted ? wanted[member] : enabled)).length;
    if (right === Object.keys(now).length) return 'applied';
    return right === 0 ? 'not-applied' : 'partial';
  },
});

/** A parameter of each server, not of the set: after a failover the new primary goes by its own [T41]. */
async function readMonitors(context: HostContext, connection: MongoConnection): Promise<Monitors> {
  const { hosts } = await membersOf(context, connection);
  const read = async (member: string) =>
    await askMongo(
      context,
      connection,
      async (client) => (await client.db('admin').command({ getParameter: 1, ttlMonitorEnabled: 1 })).ttlMonitorEnabled,
      member,
    );
  return Object.fromEntries(await Promise.all(hosts.map(async (host) => [host, (await read(host)) === true])));
}

async function setMonitors(context: HostContext, connection: MongoConnection, wanted: Monitors): Promise<void> {
  for (const [member, ttlMonitorEnabled] of Object.entries(wanted)) {
    await askMongo(
      context,
      connection,
      (client) => client.db('admin').command({ setParameter: 1, ttlMonitorEnabled }),
      member,
    );
  }
}

function monitorsBefore({ monitors }: JsonObject): Monitors {
  if (!isJsonObject(monitors)) {
    throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded where the TTL monitor was on before the step');
  }
  return Object.fromEntries(Object.entries(monitors).map(([member, on]) => [member, on === true]));
}
