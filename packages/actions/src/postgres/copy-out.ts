import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, sha256File, sha256IfThere, syncFolderOf, syncPath } from '../support/files.ts';
import { Connection, ident, withClient } from './connection.ts';
import { columnProblems, listOf, ROWS, sumOf, tableOf } from './rows.ts';

const With = z.strictObject({
  connection: Connection.describe('The database.'),
  ...ROWS,
  file: HostPath.describe('The CSV file on this host; it must not exist.'),
});

export const postgresCopyOut = defineAction<z.infer<typeof With>>({
  name: 'postgres.copyOut',
  version: 1,
  summary: 'Streams columns of a table into a CSV file on this host, with count and checksum of the same moment.',
  schema: With,
  effect: 'reversible',
  does: 'copy {table} of {connection} to {file}',
  undoes: '{file} removed',
  touches: ['path:{file}'],
  secrets: ['connection'],
  receipt: { file: 'the CSV file', rows: 'how many', sum: 'checksum of the rows', sha256: 'checksum of the file' },
  timeoutMs: 60 * 60_000,

  async check(context, { connection, table, columns, file }) {
    return withClient(context, connection, async (client) => {
      const problems = await columnProblems(client, table, columns);
      if (await stat(file).catch(() => undefined)) {
        problems.push(actionError('SB-ACT-BACKUP-EXISTS', `${file} is there already`).failure);
      }
      const folder = await stat(dirname(file)).catch(() => undefined);
      if (!folder?.isDirectory()) problems.push(actionError('SB-ACT-FILE', `${dirname(file)} is no folder`).failure);
      if (problems.length > 0) return { before: {}, problems };
      const { rows } = await sumOf(client, tableOf(table), columns);
      return { before: {}, note: `${rows} rows`, problems };
    });
  },

  async run(context, { connection, table, columns, key, file }) {
    const part = `${file}.${context.executionId}.part`;
    await rm(part, { force: true });
    const { to } = await import('pg-copy-streams');
    const copied = await withClient(context, connection, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const summed = await sumOf(client, tableOf(table), columns);
      const rows = `SELECT ${listOf(columns)} FROM ${tableOf(table)} ORDER BY ${ident(key)}`;
      const out = client.query(to(`COPY (${rows}) TO STDOUT WITH (FORMAT csv, HEADER true)`));
      // Personal data: nobody else's to read.
      await pipeline(out, createWriteStream(part, { flags: 'wx', mode: 0o600 }), { signal: context.signal });
      await client.query('COMMIT');
      return summed;
    });
    await syncPath(part);
    await rename(part, file);
    await syncFolderOf(file);
    return { file, ...copied, sha256: await sha256File(file) };
  },

  async undo(_context, { file }, { sha256 }) {
    const now = await sha256IfThere(file);
    if (now === undefined) return { removed: false };
    if (typeof sha256 === 'string' && now !== sha256) {
      throw actionError('SB-ACT-CHANGED-MEANWHILE', `${file} is not what was written`);
    }
    await rm(file);
    return { removed: true };
  },

  async probe(_context, { file }, { direction }) {
    const there = (await sha256IfThere(file)) !== undefined;
    return there === (direction === 'do') ? 'applied' : 'not-applied';
  },
});
