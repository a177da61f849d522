import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { Api, lookAhead, post, readProgress, shown } from './api.ts';

const With = z.strictObject({ api: Api });

export const mongosyncReverse = defineAction<z.infer<typeof With>>({
  name: 'mongosync.reverse',
  version: 1,
  summary:
    'Has mongosync copy the other way round after a commit: the old source follows the new one, and stays a place to go back to.',
  schema: With,
  effect: 'idempotent',
  does: 'reverse mongosync: the old source follows',
  touches: ['mongosync:{api}'],
  receipt: { state: 'what mongosync was before' },

  async check(context, { api }) {
    const progress = await lookAhead(context, api);
    if (!progress) return { before: {}, note: 'mongosync does not run yet', problems: [] };
    return { before: { state: progress.state }, note: progress.state, problems: [] };
  },

  async run(context, { api }) {
    const { state } = await readProgress(context, api);
    if (state === 'COMMITTED') await post(context, api, { path: 'reverse' });
    else if (state !== 'REVERSING' && state !== 'RUNNING') {
      throw actionError('SB-ACT-MONGOSYNC', `mongosync is ${state}; to reverse it must be COMMITTED`);
    }
    await shown(context, api, (progress) => progress.state === 'RUNNING');
    return {};
  },

  async probe(context, { api }) {
    const { state } = await readProgress(context, api);
    if (state === 'REVERSING') return 'in-progress';
    return state === 'RUNNING' ? 'applied' : 'not-applied';
  },
});
