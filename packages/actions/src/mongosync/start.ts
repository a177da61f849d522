import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { Api, lookAhead, onceItListens, post, readProgress, shown } from './api.ts';

const With = z.strictObject({
  api: Api,
  source: z.string().min(1).default('cluster0').describe('Which of its two clusters mongosync copies from.'),
  destination: z.string().min(1).default('cluster1').describe('Which it copies to.'),
  reversible: z
    .boolean()
    .default(false)
    .describe(
      'Keep the way back open: after the commit it can copy the other way round. Wants MongoDB 6.0 at both ends.',
    ),
  writeBlocking: z
    .boolean()
    .default(false)
    .describe(
      'Have mongosync itself keep users from writing to the destination, and to the source from the commit on.',
    ),
});

/** What mongosync does with a synchronisation that has begun. */
const BEGUN = ['RUNNING', 'PAUSED', 'COMMITTING', 'COMMITTED', 'REVERSING'];

export const mongosyncStart = defineAction<z.infer<typeof With>>({
  name: 'mongosync.start',
  version: 1,
  summary: 'Has a running mongosync begin to copy. It returns when mongosync says RUNNING; the copy goes on by itself.',
  schema: With.refine(
    ({ reversible, writeBlocking }) => !reversible || writeBlocking,
    'reversible needs writeBlocking',
  ),
  effect: 'reversible',
  does: 'start mongosync, {source} to {destination}',
  undoes: 'pause it',
  leaves: 'what was copied to the destination, and the state of mongosync there',
  touches: ['mongosync:{api}'],
  receipt: { state: 'what mongosync was before' },

  async check(context, { api }) {
    const progress = await lookAhead(context, api);
    if (!progress) return { before: {}, note: 'mongosync does not run yet', problems: [] };
    const { state } = progress;
    const problem = actionError('SB-ACT-MONGOSYNC', `mongosync is ${state}; a start needs IDLE`).failure;
    return { before: { state }, note: state, problems: state === 'IDLE' || state === 'RUNNING' ? [] : [problem] };
  },

  async run(context, { api, source, destination, reversible, writeBlocking }) {
    const { state } = await onceItListens(context, api);
    if (state === 'IDLE') {
      const body = { source, destination, reversible, ...(writeBlocking && { enableUserWriteBlocking: true }) };
      await post(context, api, { path: 'start', body });
    }
    await shown(context, api, (progress) => progress.state === 'RUNNING');
    return {};
  },

  async undo(context, { api }, receipt) {
    const { state } = await readProgress(context, api);
    if (state !== 'RUNNING' || receipt.state === 'RUNNING') return { paused: false };
    await post(context, api, { path: 'pause' });
    await shown(context, api, (progress) => progress.state === 'PAUSED');
    return { paused: true };
  },

  async probe(context, { api }, { direction, receipt }) {
    const { state } = await readProgress(context, api);
    if (direction === 'do') return BEGUN.includes(state) ? 'applied' : 'not-applied';
    return state !== 'RUNNING' || receipt.state === 'RUNNING' ? 'applied' : 'not-applied';
  },
});
