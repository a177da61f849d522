import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, Sha256 } from '../support/files.ts';
import { addressOf, Connection, ident } from './connection.ts';
import { readDump } from './dump-file.ts';
import {
  databaseExists,
  onServer,
  readSwapNames,
  restoreBeside,
  swapDatabases,
  swapNames,
  swapProblems,
} from './swap.ts';

const With = z.strictObject({
  connection: Connection.describe('The database that is replaced; it must exist.'),
  dump: HostPath.describe('The folder that `postgres.dump` made.'),
  sha256: Sha256.optional().describe('From the receipt of the dump.'),
});
type With = z.infer<typeof With>;

export const postgresRestore = defineAction<With>({
  name: 'postgres.restore',
  version: 1,
  summary: 'Restores a dump into a new database, compares, and swaps by renaming; the old database is kept.',
  schema: With,
  effect: 'reversible',
  does: 'restore {dump} in the place of {connection}',
  undoes: 'the old database under its name again',
  leaves: 'after an undo, the database that had been restored',
  touches: ['path:{dump}'],
  secrets: ['connection'],
  receipt: { database: 'name of the database', aside: 'name of the old database' },
  timeoutMs: 60 * 60_000,

  async check(context, { connection, dump }) {
    const { database } = await addressOf(context, connection);
    const problems = await onServer(context, connection, (client) => swapProblems(client, database));
    const manifest = await readDump(dump);
    if (!manifest) problems.push(actionError('SB-ACT-DUMP-DAMAGED', `${dump} is no finished dump`).failure);
    const note = manifest && `${manifest.database}, ${Object.keys(manifest.fingerprint.tables).length} tables`;
    return { before: { database, own: { ...swapNames(context, database) } }, problems, ...(note && { note }) };
  },

  async run(context, { connection, dump, sha256 }, before) {
    const { scratch, aside } = readSwapNames(before);
    const { database } = await addressOf(context, connection);
    if (await onServer(context, connection, (client) => databaseExists(client, aside))) return { aside };
    await restoreBeside(context, connection, { folder: dump, sha256, scratch });
    const swap = { live: database, into: aside, from: scratch };
    await onServer(context, connection, (client) => swapDatabases(client, swap));
    return { aside };
  },

  async undo(context, { connection }, receipt) {
    const { scratch, aside } = readSwapNames(receipt);
    const { database } = await addressOf(context, connection);
    return onServer(context, connection, async (client) => {
      if (aside === '') return { restored: false };
      // A restore that was not finished; under this name there never is anything else.
      await client.query(`DROP DATABASE IF EXISTS ${ident(scratch)}`);
      if (!(await databaseExists(client, aside))) return { restored: false };
      await swapDatabases(client, { live: database, into: `${aside}_undone`, from: aside });
      return { restored: true };
    });
  },

  async probe(context, { connection }, { direction, receipt }) {
    const { scratch, aside } = readSwapNames(receipt);
    return onServer(context, connection, async (client) => {
      const swapped = aside !== '' && (await databaseExists(client, aside));
      if (direction === 'undo') return swapped ? 'not-applied' : 'applied';
      if (swapped) return 'applied';
      return scratch !== '' && (await databaseExists(client, scratch)) ? 'partial' : 'not-applied';
    });
  },
});
