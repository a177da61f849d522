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
    .describe('`prefer`: where the server can (6.0 and newer). `require`: a server that cannot stops the plan.'),
});

export const mongodbWriteBlock = defineAction<z.infer<typeof With>>({
  name: 'mongodb.writeBlock',
  version: 1,
  summary:
    'Has the server refuse writes of users. Users that may bypass it (`bypassWriteBlockingMode`, part of root) still write: it goes with a proof of quiet, and replaces none.',
  schema: With,
  effect: 'reversible',
  does: 'block writes ({mode})',
  undoes: 'allow writes if they were allowed before',
  touches: [],
  secrets: ['in'],
  receipt: { blockedBefore: 'whether writes were blocked before', blocked: 'whether they are now' },

  async check(context, { in: connection, mode }) {
    const { version, blocked } = await readBlock(context, connection);
    const can = blocked !== undefined;
    const text = `MongoDB ${version} cannot block writes; 6.0 and newer can`;
    return {
      before: { blockedBefore: blocked ?? false },
      note: mode === 'off' || !can ? `writes are not blocked (MongoDB ${version})` : `MongoDB ${version} blocks writes`,
      problems: can || mode !== 'require' ? [] : [actionError('SB-ACT-MONGODB-REFUSED', text).failure],
    };
  },

  async run(context, { in: connection, mode }) {
    const { version, blocked } = await readBlock(context, connection);
    if (mode === 'off') return { blocked: blocked ?? false };
    if (blocked === undefined) {
      if (mode === 'require') throw actionError('SB-ACT-MONGODB-REFUSED', `MongoDB ${version} cannot block writes`);
      context.print(`MongoDB ${version} cannot block writes: only the proof of quiet guards the source`);
      return { blocked: false };
    }
    await setBlock(context, connection, true);
    return { blocked: true };
  },

  async undo(context, { in: connection, mode }, receipt) {
    const { blocked } = await readBlock(context, connection);
    if (mode === 'off' || blocked !== true) return { allowed: false };
    if (typeof receipt.blockedBefore !== 'boolean') {
      throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded whether writes were blocked before the step');
    }
    if (receipt.blockedBefore) return { allowed: false };
    await setBlock(context, connection, false);
    return { allowed: true };
  },

  async probe(context, { in: connection, mode }, { direction, receipt }) {
    const { blocked } = await readBlock(context, connection);
    if (mode === 'off' || blocked === undefined) return 'applied';
    if (direction === 'do') return blocked ? 'applied' : 'not-applied';
    return blocked === (receipt.blockedBefore === true) ? 'applied' : 'not-applied';
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
