import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { findProgram } from '../support/exec.ts';
import { HostPath, sha256Text } from '../support/files.ts';
import { requireSpace, size } from '../support/tree.ts';
import { addressOf, Connection, withClient } from './connection.ts';
import { readDump, writeDump } from './dump-file.ts';
import { differences, fingerprintOf, losses } from './fingerprint.ts';
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
  connection: Connection.describe('The database, as a parameter of the type `postgres`.'),
  folder: HostPath.describe('Where dumps are kept; each gets a folder of its own below.'),
});
type With = z.infer<typeof With>;

/** Bytes a second that a dump with its checksums reaches; a guess for screens, nothing depends on it. */
const USUAL_SPEED = 20_000_000;

export const postgresDump = defineAction<With>({
  name: 'postgres.dump',
  version: 1,
  summary:
    'Dumps a database and proves the dump readable; undo puts the database back from it if it has changed since.',
  schema: With,
  effect: 'reversible',
  does: 'dump {connection} below {folder}',
  undoes: 'the database from the dump, if it changed, by renaming',
  leaves: 'the dump, and the database that was set aside',
  touches: ['path:{folder}'],
  secrets: ['connection'],
  receipt: {
    path: 'folder of the dump',
    database: 'name of the database',
    sha256: 'checksum of the dump',
    bytes: 'size of the dump',
    rows: 'rows of all tables',
  },
  timeoutMs: 60 * 60_000,

  async check(context, { connection, folder }) {
    const missing = ['pg_dump', 'pg_restore'].filter((program) => !findProgram(context, program));
    const problems = missing.map((name) => actionError('SB-ACT-PROGRAM-MISSING', `no ${name} here`).failure);
    const { database } = await addressOf(context, connection);
    const { bytes, version } = await withClient(context, connection, async (client) => {
      const { rows } = await client.query(`SELECT pg_database_size(current_database()) AS bytes,
        current_setting('server_version_num')::int / 10000 AS version`);
      return { bytes: Number(rows[0]?.bytes), version: Number(rows[0]?.version) };
    });
    problems.push(...(await onServer(context, connection, (client) => swapProblems(client, database))));
    const full = await requireSpace(await existing(folder), bytes).catch((error: unknown) => error);
    if (full instanceof SignalboxError) problems.push(full.failure);
    const path = join(folder, `${database.replace(/[^\w.-]/g, '_')}-${sha256Text(context.executionId).slice(0, 10)}`);
    const estimateMs = Math.round((bytes / USUAL_SPEED) * 1_000);
    const note = `${database} ${size(bytes)}, PostgreSQL ${version}`;
    return { before: { database, own: { path, ...swapNames(context, database) } }, note, problems, estimateMs };
  },

  async run(context, { connection }, before) {
    const path = pathIn(before);
    const { sha256, bytes, fingerprint } = await writeDump(context, connection, path);
    const rows = Object.values(fingerprint.tables).reduce((sum, table) => sum + table.rows, 0);
    return { path, sha256, bytes, rows };
  },

  async undo(context, { connection }, receipt) {
    const [folder, { scratch, aside }] = [pathIn(receipt), readSwapNames(receipt)];
    const manifest = folder === '' ? undefined : await readDump(folder);
    // Not finished: no later step has run, so the database is what it was.
    if (!manifest) return { restored: false };
    if (await onServer(context, connection, (client) => databaseExists(client, aside)))
      return { restored: true, aside };
    const changes = differences(manifest.fingerprint, await fingerprintOf(context, connection));
    if (changes.length === 0) return { restored: false };
    for (const change of changes.slice(0, 20)) context.print(`changed since the dump: ${change}`);
    const sha256 = typeof receipt.sha256 === 'string' ? receipt.sha256 : undefined;
    await restoreBeside(context, connection, { folder, sha256, scratch });
    const swap = { live: manifest.database, into: aside, from: scratch };
    await onServer(context, connection, (client) => swapDatabases(client, swap));
    return { restored: true, aside };
  },

  async loses(context, { connection }, receipt) {
    const manifest = await readDump(pathIn(receipt));
    if (!manifest) return [];
    return losses(manifest.fingerprint, await fingerprintOf(context, connection));
  },

  async probe(context, { connection }, { direction, receipt }) {
    const folder = pathIn(receipt);
    const manifest = folder === '' ? undefined : await readDump(folder);
    if (direction === 'do') {
      if (manifest) return 'applied';
      return folder !== '' && (await stat(folder).catch(() => undefined)) ? 'partial' : 'not-applied';
    }
    if (!manifest) return 'applied';
    const same = differences(manifest.fingerprint, await fingerprintOf(context, connection)).length === 0;
    return same ? 'applied' : 'not-applied';
  },
});

function pathIn({ own }: JsonObject): string {
  return isJsonObject(own) && typeof own.path === 'string' ? own.path : '';
}

/** The nearest folder above that is there: the one whose disk will be written to. */
async function existing(folder: string): Promise<string> {
  return (await stat(folder).catch(() => undefined)) ? folder : existing(dirname(folder));
}
