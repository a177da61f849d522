import type { HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import {
  ALEMBIC,
  type Alembic,
  alembic,
  BASE,
  onlyHead,
  programProblems,
  requireSameDatabase,
  revisionInDatabase,
  scriptsOf,
} from './program.ts';

const With = z.strictObject({
  ...ALEMBIC,
  revision: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a revision, or head')
    .default('head')
    .describe('Where to; `head` is made exact when the plan is made.'),
});
type With = z.infer<typeof With>;

export const alembicUpgrade = defineAction<With>({
  name: 'alembic.upgrade',
  version: 1,
  summary:
    'Brings a schema to an exact revision, in the database that is meant; undo goes to the recorded one and no further.',
  schema: With,
  effect: 'reversible',
  does: 'schema of {connection} to {revision}',
  undoes: 'schema back to the recorded revision',
  leaves: 'columns and tables that the downgrade makes anew without their rows, which are in a dump',
  touches: ['path:{folder}'],
  secrets: ['connection'],
  receipt: { revision: 'of the database before; `base` when it had none', target: 'the revision after' },
  timeoutMs: 60 * 60_000,
  // Not undo: it looks first at where the database is, and that has changed since.
  resumable: ['do'],

  async check(context, input) {
    const problems = await programProblems(context, input);
    if (problems.length > 0) return { before: {}, problems };
    const [scripts, revision] = await Promise.all([
      scriptsOf(context, input),
      revisionInDatabase(context, input),
      requireSameDatabase(context, input),
    ]);
    const { known } = scripts;
    const target = input.revision === 'head' ? onlyHead(scripts) : input.revision;
    const strange = [target, revision].filter((name) => name !== BASE && !known.includes(name));
    for (const name of strange) {
      problems.push(
        actionError('SB-ACT-ALEMBIC-REVISION', `the scripts in ${input.folder} do not know ${name}`).failure,
      );
    }
    // Newest first: what stands before the target is newer.
    if (known.indexOf(revision) !== -1 && known.indexOf(revision) < known.indexOf(target)) {
      const message = `the database is at ${revision}, which is newer than ${target}`;
      problems.push(actionError('SB-ACT-ALEMBIC-REVISION', message).failure);
    }
    return { before: { revision, target }, note: `${revision} -> ${target}`, problems };
  },

  async run(context, input, before) {
    const { target } = recorded(before);
    await requireSameDatabase(context, input);
    await alembic(context, input, ['upgrade', target]);
    await requireRevision(context, input, target);
    return {};
  },

  async undo(context, input, receipt) {
    const { revision } = recorded(receipt);
    // A dump that was restored has brought its revision along: one more step down would drop what it holds [T14].
    if ((await revisionInDatabase(context, input)) === revision) return { downgraded: false };
    await requireSameDatabase(context, input);
    await alembic(context, input, ['downgrade', revision]);
    await requireRevision(context, input, revision);
    return { downgraded: true };
  },

  async loses(context, input, receipt) {
    const { revision, target } = recorded(receipt);
    const now = await revisionInDatabase(context, input);
    return now === revision || now === target ? [] : [`the schema is at ${now}, where it was brought later`];
  },

  async probe(context, input, { direction, receipt }) {
    const { revision, target } = recorded(receipt);
    const now = await revisionInDatabase(context, input);
    if (now === (direction === 'do' ? target : revision)) return 'applied';
    return now === (direction === 'do' ? revision : target) ? 'not-applied' : 'partial';
  },
});

function recorded({ revision, target }: { revision?: unknown; target?: unknown }) {
  if (typeof revision === 'string' && typeof target === 'string') return { revision, target };
  throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded which revision the database had');
}

async function requireRevision(context: HostContext, input: Alembic, wanted: string): Promise<void> {
  const now = await revisionInDatabase(context, input);
  if (now !== wanted) throw actionError('SB-ACT-ALEMBIC-REVISION', `the database is at ${now}, not at ${wanted}`);
}
