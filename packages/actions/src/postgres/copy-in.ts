import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import type { Client } from 'pg';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, lookAtFile, Sha256, sha256File } from '../support/files.ts';
import { Connection, ident, withClient } from './connection.ts';
import { columnProblems, listOf, ROWS, sumOf, tableOf } from './rows.ts';

const With = z.strictObject({
  connection: Connection.describe('The database.'),
  ...ROWS,
  file: HostPath.describe('A CSV file with a header, as `postgres.copyOut` writes it.'),
  rows: z
    .union([z.int(), z.string().regex(/^\d+$/)])
    .describe('How many rows the file must bring: from the receipt of the export.'),
  sum: z.string().min(1).describe('Checksum of those rows: from the same receipt.'),
  sha256: Sha256.describe('Checksum of the file: from the same receipt.'),
});
type With = z.infer<typeof With>;

export const postgresCopyIn = defineAction<With>({
  name: 'postgres.copyIn',
  version: 1,
  summary: 'Loads a CSV file into a table in one transaction; count and checksum must be those of the export.',
  schema: With,
  effect: 'reversible',
  does: 'load {file} into {table} of {connection}',
  undoes: 'exactly these rows out again, unless somebody has changed one',
  leaves: 'sequences of the table where the load has brought them, as a transaction does that is rolled back',
  touches: [],
  secrets: ['connection'],
  receipt: { rows: 'how many were loaded', own: 'how many of the keys the table had before' },
  timeoutMs: 60 * 60_000,

  async check(context, input) {
    const { connection, table, columns, file } = input;
    const [problems, rows] = await withClient(context, connection, async (client) => [
      await columnProblems(client, table, columns),
      (await client.query(`SELECT count(*) FROM ${tableOf(table)}`)).rows[0]?.count,
    ]);
    const note = `${rows} rows there now`;
    // When the plan is made, the file is not yet exported.
    if (problems.length > 0 || !(await lookAtFile(file))) return { before: {}, note, problems };
    const known = await loaded(context, input, async (client) => (await sumOf(client, present(input), columns)).rows);
    return { before: { own: { known } }, note, problems };
  },

  async run(context, input) {
    const { table, columns } = input;
    return loaded(context, input, async (client) => {
      await refuseDuplicates(client, input);
      const list = listOf(columns);
      const { rowCount } = await client.query(`INSERT INTO ${tableOf(table)} (${list}) SELECT ${list} FROM incoming`);
      // What triggers and types made of the rows is what counts, not what was sent.
      const { rows, sum } = await sumOf(client, present(input), columns);
      if (rowCount !== Number(input.rows) || rows !== rowCount || sum !== input.sum) {
        throw actionError('SB-ACT-ROWS-DIFFER', `${table} got ${rows} of ${input.rows} rows, checksum ${sum}`);
      }
      return { rows };
    });
  },

  async undo(context, input, receipt) {
    const { table, key } = input;
    // With one of these keys in the table, nothing was loaded: what is there is not ours.
    if (knownBefore(receipt) > 0) return { removed: 0 };
    return loaded(context, input, async (client) => {
      const { rows, sum } = await sumOf(client, present(input), input.columns);
      if (rows === 0) return { removed: 0 };
      if (rows !== Number(input.rows) || sum !== input.sum) {
        const message = `${table} has ${rows} of the ${input.rows} rows that were loaded, or some with other values`;
        throw actionError('SB-ACT-CHANGED-MEANWHILE', message);
      }
      await client.query(`DELETE FROM ${tableOf(table)} WHERE ${ident(key)} IN (SELECT ${ident(key)} FROM incoming)`);
      return { removed: rows };
    });
  },

  async probe(context, input, { direction, receipt }) {
    if (knownBefore(receipt) > 0) return direction === 'do' ? 'not-applied' : 'applied';
    return loaded(context, input, async (client) => {
      const { rows, sum } = await sumOf(client, present(input), input.columns);
      if (rows === 0) return direction === 'do' ? 'not-applied' : 'applied';
      const whole = rows === Number(input.rows) && sum === input.sum;
      if (!whole) return 'cannot-tell';
      return direction === 'do' ? 'applied' : 'not-applied';
    });
  },
});

/** How many keys of the file the table had before the step. @throws SB-ACT-NO-RECEIPT */
function knownBefore({ own }: JsonObject): number {
  if (isJsonObject(own) && typeof own.known === 'number') return own.known;
  throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded which of these rows were there before');
}

/** The rows of the table that have a key of the file. */
const present = ({ table, key }: With) =>
  `(SELECT * FROM ${tableOf(table)} WHERE ${ident(key)} IN (SELECT ${ident(key)} FROM incoming)) AS present`;

/** The file in a temporary table of one transaction, which is kept only when `use` returns. */
async function loaded<T>(context: HostContext, input: With, use: (client: Client) => Promise<T>): Promise<T> {
  const { connection, table, columns, file, sha256 } = input;
  if (!(await lookAtFile(file))) throw actionError('SB-ACT-SOURCE-MISSING', `${file} is not there`);
  const found = await sha256File(file);
  if (found !== sha256) throw actionError('SB-ACT-CHECKSUM', `${file} has sha256 ${found}, not ${sha256}`);
  await requireHeader(file, columns);
  const { from } = await import('pg-copy-streams');
  return withClient(context, connection, async (client) => {
    await client.query('BEGIN');
    // Types and names of the columns, none of the constraints: a row that does not fit is counted, not thrown out.
    const empty = `SELECT ${listOf(columns)} FROM ${tableOf(table)} WHERE false`;
    await client.query(`CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS ${empty}`);
    const into = client.query(from('COPY incoming FROM STDIN WITH (FORMAT csv, HEADER true)'));
    await pipeline(createReadStream(file), into, { signal: context.signal });
    const result = await use(client);
    await client.query('COMMIT');
    return result;
  });
}

/** COPY takes columns by their place, whatever the header says. @throws SB-ACT-COLUMN-MISSING */
async function requireHeader(file: string, columns: readonly string[]): Promise<void> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === columns.join(',')) return;
    throw actionError(
      'SB-ACT-COLUMN-MISSING',
      `${file} begins with ${line.slice(0, 200)}, not with ${columns.join(',')}`,
    );
  }
  throw actionError('SB-ACT-COLUMN-MISSING', `${file} is empty`);
}

/** @throws SB-ACT-DUPLICATE-ROWS with how many keys stand twice in the file, or are in the table already. */
async function refuseDuplicates(client: Client, { table, key }: With): Promise<void> {
  const id = ident(key);
  const { rows } = await client.query<{ twice: string; known: string }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM incoming GROUP BY ${id} HAVING count(*) > 1) d) AS twice,
       (SELECT count(*) FROM incoming i WHERE EXISTS (SELECT 1 FROM ${tableOf(table)} t WHERE t.${id} = i.${id})) AS known`,
  );
  const { twice = '0', known = '0' } = rows[0] ?? {};
  if (twice === '0' && known === '0') return;
  const message = `${twice} values of ${key} stand more than once in the file, ${known} rows are in ${table} already`;
  throw actionError('SB-ACT-DUPLICATE-ROWS', message);
}
