import { Effect, type HostContext } from '@signalbox/protocol';
import type { Client } from 'pg';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { Connection, withClient } from './connection.ts';

const Statements = z.string().min(1).max(65_536);

const With = z.strictObject({
  connection: Connection.describe('The database.'),
  statements: Statements.describe(
    'SQL, several statements if need be; all in one transaction. No secrets: a plan is read by many.',
  ),
  applied: Statements.describe('A query of one boolean that is true exactly when the statements are done.'),
  effect: Effect.describe('What the statements do to the world; only the author of the runbook can know.'),
  undo: z
    .strictObject({ statements: Statements })
    .optional()
    .describe('Takes it back, in one transaction as well; wanted when effect is reversible.'),
});
type With = z.infer<typeof With>;

export const postgresSql = defineAction<With>({
  name: 'postgres.sql',
  version: 1,
  summary: 'Runs SQL statements in one transaction; a query of the author says whether they are done.',
  schema: With.refine(({ effect, undo }) => effect !== 'reversible' || undo, 'effect: reversible needs undo'),
  effect: ({ effect }) => effect,
  does: 'run SQL in {connection}',
  undoes: 'run the SQL of `undo`',
  touches: [],
  secrets: ['connection'],
  receipt: { alreadyApplied: 'whether it was done before the step' },
  timeoutMs: 30 * 60_000,

  async check(context, input) {
    const applied = await isApplied(context, input);
    return { before: { alreadyApplied: applied }, note: applied ? 'done already' : 'not done yet', problems: [] };
  },

  async run(context, input) {
    // Done already, by somebody or by an attempt whose answer was lost.
    if (await isApplied(context, input)) return {};
    await inTransaction(context, input.connection, input.statements);
    if (await isApplied(context, input)) return {};
    throw actionError('SB-ACT-SQL-RESULT', 'the statements ran, and `applied` is still not true');
  },

  async undo(context, input, { alreadyApplied }) {
    if (!input.undo) throw actionError('SB-ACT-NO-RECEIPT', 'no way back is stated for these statements');
    if (alreadyApplied === true || !(await isApplied(context, input))) return { undone: false };
    await inTransaction(context, input.connection, input.undo.statements);
    if (!(await isApplied(context, input))) return { undone: true };
    throw actionError('SB-ACT-SQL-RESULT', 'the statements of `undo` ran, and `applied` is still true');
  },

  async probe(context, input, { direction, receipt }) {
    const applied = await isApplied(context, input);
    if (direction === 'do') return applied ? 'applied' : 'not-applied';
    return applied && receipt.alreadyApplied !== true ? 'not-applied' : 'applied';
  },
});

async function isApplied(context: HostContext, { connection, applied }: With): Promise<boolean> {
  return withClient(context, connection, async (client) => {
    await client.query('BEGIN READ ONLY');
    const { rows } = await client.query<unknown[]>({ text: applied, rowMode: 'array' });
    const [row] = rows;
    if (rows.length === 1 && row?.length === 1 && typeof row[0] === 'boolean') return row[0];
    throw actionError('SB-ACT-SQL-RESULT', '`applied` must give exactly one boolean');
  });
}

/** @throws SB-ACT-SQL-COMMITS when the statements ended the transaction themselves: how far is then not known. */
async function inTransaction(context: HostContext, connection: Connection, statements: string): Promise<void> {
  const transaction = async (client: Client) => {
    const { rows } = await client.query<{ id: string }>('SELECT pg_current_xact_id_if_assigned()::text AS id');
    return rows[0]?.id;
  };
  await withClient(context, connection, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT pg_current_xact_id()');
    const begun = await transaction(client);
    await client.query(statements);
    if ((await transaction(client)) !== begun) {
      throw actionError(
        'SB-ACT-SQL-COMMITS',
        'the statements end their transaction: leave BEGIN, COMMIT and ROLLBACK out',
      );
    }
    await client.query('COMMIT');
  });
}
