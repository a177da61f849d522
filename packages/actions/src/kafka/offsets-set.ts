import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import { CLIENT_ID, commit, committedOf, KafkaConnection, type Offsets } from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { asking, marksOf } from './admin.ts';

const With = z.strictObject({
  in: KafkaConnection,
  topic: z.string().min(1),
  groups: z.array(z.string().min(1)).describe('Groups that will read the topic there.'),
  at: z.enum(['low', 'high']).describe('`low`: everything that is there is read; `high`: only what comes from now on.'),
});
type With = z.infer<typeof With>;

export const kafkaOffsetsSet = defineAction<With>({
  name: 'kafka.offsetsSet',
  version: 1,
  summary:
    'Says where groups begin to read a topic, before they do: a new group would begin where its own settings say, and skip what is there.',
  schema: With,
  effect: 'reversible',
  does: 'offsets of {groups} in {topic} at {at}',
  undoes: 'offsets as before, or none',
  touches: ['topic:{topic}'],
  secrets: ['in'],
  receipt: { before: 'offsets before, by group and partition', existed: 'groups that were there before' },

  async check(context, input) {
    return await asking(context, input.in, async ({ admin }) => {
      const before = await offsetsOf(admin, input);
      const existed = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
      const groups = input.groups.filter((group) => existed.includes(group));
      return { before: { before, existed: groups }, problems: await inUse(admin, input) };
    });
  },

  async run(context, input) {
    await asking(context, input.in, async (session) => {
      const { admin } = session;
      const [problem] = await inUse(admin, input);
      if (problem) throw actionError('SB-ACT-KAFKA-GROUP-BUSY', problem.message);
      const wanted = await wantedOf(admin, input);
      for (const group of input.groups) await commit(session, { group, topic: input.topic, offsets: wanted });
    });
    return {};
  },

  async undo(context, input, receipt) {
    const { before, existed } = recorded(receipt);
    await asking(context, input.in, async (session) => {
      const { admin } = session;
      const [problem] = await inUse(admin, input);
      if (problem) throw actionError('SB-ACT-KAFKA-GROUP-BUSY', problem.message);
      const { groups: listed } = await admin.listGroups();
      for (const group of input.groups.filter((name) => listed.some(({ groupId }) => groupId === name))) {
        await commit(session, { group, topic: input.topic, offsets: before[group] ?? {} });
        if (!existed.includes(group) && (await hasNoOffsets(admin, group))) await admin.deleteGroups([group]);
      }
    });
    return {};
  },

  async probe(context, input, { direction, receipt }) {
    return await asking(context, input.in, async ({ admin }) => {
      const now = await offsetsOf(admin, input);
      const wanted = await wantedOf(admin, input);
      const done = Object.fromEntries(input.groups.map((group) => [group, wanted]));
      const { before } = recorded(receipt);
      if (same(now, direction === 'do' ? done : before)) return 'applied';
      return same(now, direction === 'do' ? before : done) ? 'not-applied' : 'partial';
    });
  },
});

async function wantedOf(admin: Admin, { topic, at }: With): Promise<Offsets> {
  return Object.fromEntries((await marksOf(admin, topic)).map((mark) => [String(mark.partition), mark[at]]));
}

async function offsetsOf(admin: Admin, { groups, topic }: With): Promise<Record<string, Offsets>> {
  await marksOf(admin, topic);
  const found = await Promise.all(
    groups.map(async (group) => [group, offsetsByPartition(await committedOf(admin, group, topic))] as const),
  );
  return Object.fromEntries(found);
}

const offsetsByPartition = (partitions: readonly { partition: number; offset: string }[]): Offsets =>
  Object.fromEntries(partitions.map(({ partition, offset }) => [String(partition), offset]));

/**
 * Offsets of a group with members are theirs: a commit from outside is refused or overwritten [T54]. A member of our own is
 * what a try has left whose broker died; a commit waits until the cluster has given it up.
 */
async function inUse(admin: Admin, { groups }: With) {
  if (groups.length === 0) return [];
  const { groups: described } = await admin.describeGroups([...groups]);
  return described
    .filter(({ members, state }) => members.length > 0 || (state !== 'Empty' && state !== 'Dead'))
    .filter(({ members }) => members.length === 0 || members.some(({ clientId }) => clientId !== CLIENT_ID))
    .map(({ groupId, members, state }) => {
      return actionError('SB-ACT-KAFKA-GROUP-BUSY', `${groupId} is ${state} with ${members.length} members`).failure;
    });
}

async function hasNoOffsets(admin: Admin, groupId: string): Promise<boolean> {
  const topics = await admin.fetchOffsets({ groupId, resolveOffsets: false });
  return topics.every(({ partitions }) => partitions.every(({ offset }) => BigInt(offset) < 0n));
}

/** @throws SB-ACT-NO-RECEIPT */
function recorded({ before, existed }: JsonObject): { before: Record<string, Offsets>; existed: unknown[] } {
  const offsets = z.record(z.string(), z.record(z.string(), z.string())).safeParse(before);
  if (!isJsonObject(before) || !offsets.success || !Array.isArray(existed)) {
    throw actionError('SB-ACT-NO-RECEIPT', 'the offsets before the step were not recorded');
  }
  return { before: offsets.data, existed };
}

function same(a: Record<string, Offsets>, b: Record<string, Offsets>): boolean {
  const flat = (offsets: Record<string, Offsets>) =>
    Object.entries(offsets)
      .flatMap(([group, of]) => Object.entries(of).map(([partition, offset]) => `${group} ${partition} ${offset}`))
      .sort()
      .join('\n');
  return flat(a) === flat(b);
}
