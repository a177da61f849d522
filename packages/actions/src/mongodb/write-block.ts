import type { HostContext } from '@signalbox/protocol';
import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { askMongo } from './ask.ts';

const With = z.strictObject({
  in: MongoConnection.describe('The replica set.'),
  mode: z
    .enum(['prefer', 'require', 'off'])
    .default('prefer')
    .describe(
      '`prefer`: where the server can (6.0 and newer). `require`: a server that cannot stops the plan. `off`: allow them.',
    ),
});

export const mongodbWriteBlock = defineAction<z.infer<typeof With>>({
  name: 'mongodb.writeBlock',
  version: 1,
  summary:
    'Has the server refuse writes of users. Users that may bypass it (`bypassWriteBlockingMode`, part of root) still write: it goes with a proof of quiet, and replaces none.',
  schema: With,
  effect: 'reversible',
  does: 'write block: {mode}',
  undoes: 'as before',
  touches: [],
  secrets: ['in'],
  receipt: { blockedBefore: 'whether writes were blocked before', blocked: 'whether they are now' },

  async check(context, { in: connection, mode }) {
    const { version, blocked } = await readBlock(context, connection);
    const can = blocked !== undefined;
    const text = `MongoDB ${version} cannot block writes; 6.0 and newer can`;
    return {
      before: { blockedBefore: blocked ?? false },
      note: can ? `MongoDB ${version} can, and does ${blocked ? '' : 'not '}block them now` : text,
      problems: can || mode !== 'require' ? [] : [actionError('SB-ACT-MONGODB-REFUSED', text).failure],
    };
  },

  async run(context, { in: connection, mode }) {
    const { version, blocked } = await readBlock(context, connection);
    if (blocked === undefined) {
      if (mode === 'require') throw actionError('SB-ACT-MONGODB-REFUSED', `MongoDB ${version} cannot block writes`);
      context.print(`MongoDB ${version} cannot block writes: only the proof of quiet guards them`);
      return { blocked: false };
    }
    const wanted = mode !== 'off';
    if (blocked !== wanted) await setBlock(context, connection, wanted);
    return { blocked: wanted };
  },

  async undo(context, { in: connection }, receipt) {
    const { blocked } = await readBlock(context, connection);
    if (blocked === undefined) return { changed: false };
    if (typeof receipt.blockedBefore !== 'boolean') {
      throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded whether writes were blocked before the step');
    }
    if (blocked === receipt.blockedBefore) return { changed: false };
    await setBlock(context, connection, receipt.blockedBefore);
    return { changed: true };
  },

  async probe(context, { in: connection, mode }, { direction, receipt }) {
    const { blocked } = await readBlock(context, connection);
    const wanted = direction === 'do' ? mode !== 'off' : receipt.blockedBefore === true;
    return blocked === undefined || blocked === wanted ? 'applied' : 'not-applied';
  },
});

/** serverStatus.repl.userWriteBlockMode: 1 allowed, 2 blocked; servers before 6.0 do not say. */
async function readBlock(context: HostContext, connection: MongoConnection) {
  return await askMongo(context, connection, async (client) => {
    const status = await client.db('admin').command({ serverStatus: 1 });
    const mode = status.repl?.userWriteBlockMode;
    return { version: String(status.version), blocked: typeof mode === 'number' ? mode === 2 : undefined };
  });
}

/** Looks afterwards: what counts is what the server says of itself. @throws SB-ACT-MONGODB-UNCLEAR */
async function setBlock(context: HostContext, connection: MongoConnection, global: boolean): Promise<void> {
  await askMongo(context, connection, (client) => client.db('admin').command({ setUserWriteBlockMode: 1, global }));
  const { blocked } = await readBlock(context, connection);
  if (blocked !== global) {
    throw actionError('SB-ACT-MONGODB-UNCLEAR', `the server says that writes are ${blocked ? '' : 'not '}blocked`);
  }
}
