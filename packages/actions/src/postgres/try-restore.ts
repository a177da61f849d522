import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, Sha256 } from '../support/files.ts';
import { addressOf, Connection, ident } from './connection.ts';
import { databaseExists, onServer, readSwapNames, restoreBeside, swapNames, swapProblems } from './swap.ts';

const With = z.strictObject({
  connection: Connection.describe('A database on the server that is restored on; it is not touched itself.'),
  dump: HostPath.describe('The folder that `postgres.dump` made.'),
  sha256: Sha256.optional().describe('From the receipt of the dump.'),
});

export const postgresTryRestore = defineAction<z.infer<typeof With>>({
  name: 'postgres.tryRestore',
  version: 1,
  summary:
    'Proves that a dump can be restored: into a scratch database, compared with what was dumped, and dropped again.',
  schema: With,
  effect: 'reversible',
  does: 'restore {dump} beside {connection}, compare, and drop it',
  undoes: 'the scratch database dropped, if it is there',
  touches: ['path:{dump}'],
  secrets: ['connection'],
  receipt: { restored: 'always true' },
  timeoutMs: 60 * 60_000,

  async check(context, { connection }) {
    const { database } = await addressOf(context, connection);
    const found = await onServer(context, connection, (client) => swapProblems(client, database));
    // What a swap would lose is nothing here: there is none.
    const problems = found.filter(({ code }) => code !== 'SB-ACT-DATABASE-SETTINGS');
    return { before: { own: { ...swapNames(context, database) } }, problems };
  },

  async run(context, { connection, dump, sha256 }, before) {
    const { scratch } = readSwapNames(before);
    if (scratch === '') throw actionError('SB-ACT-NO-RECEIPT', 'nobody chose a name for the scratch database');
    try {
      await restoreBeside(context, connection, { folder: dump, sha256, scratch });
    } finally {
      await onServer(context, connection, (client) => client.query(`DROP DATABASE IF EXISTS ${ident(scratch)}`));
    }
    return { restored: true };
  },

  async undo(context, { connection }, receipt) {
    const { scratch } = readSwapNames(receipt);
    if (scratch === '') return { dropped: false };
    await onServer(context, connection, (client) => client.query(`DROP DATABASE IF EXISTS ${ident(scratch)}`));
    return { dropped: true };
  },

  async probe(context, { connection }, { direction, receipt }) {
    const { scratch } = readSwapNames(receipt);
    const left = scratch !== '' && (await onServer(context, connection, (client) => databaseExists(client, scratch)));
    if (direction === 'undo') return left ? 'not-applied' : 'applied';
    // It leaves nothing behind, so nothing tells whether it was done: doing it again is harmless.
    return left ? 'partial' : 'not-applied';
  },
});
