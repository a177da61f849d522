import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { Api, lookAhead, post, readProgress, shown } from './api.ts';

const With = z.strictObject({ api: Api });

export const mongosyncCommit = defineAction<z.infer<typeof With>>({
  name: 'mongosync.commit',
  version: 1,
  summary:
    'Ends the synchronisation: mongosync carries over what is left and makes the destination writable. Done when it says COMMITTED and canWrite.',
  schema: With,
  effect: 'reversible',
  does: 'commit mongosync',
  undoes: 'nothing: as long as nobody wrote to the destination, the source has everything',
  leaves: 'a destination that is no longer kept up to date; another try begins with an empty one',
  touches: ['mongosync:{api}'],
  receipt: { state: 'what mongosync was before' },
  timeoutMs: 30 * 60_000,

  async check(context, { api }) {
    const progress = await lookAhead(context, api);
    if (!progress) return { before: {}, note: 'mongosync does not run yet', problems: [] };
    return { before: { state: progress.state }, note: progress.state, problems: [] };
  },

  async run(context, { api }) {
    const { state, canCommit } = await readProgress(context, api);
    if (state === 'RUNNING') {
      // Above its bound of lag mongosync refuses; asking first says why in words [T39].
      if (!canCommit)
        throw actionError('SB-ACT-MONGOSYNC', 'mongosync says that it cannot commit yet: its lag is too high');
      await post(context, api, { path: 'commit' });
    } else if (state !== 'COMMITTING' && state !== 'COMMITTED') {
      throw actionError('SB-ACT-MONGOSYNC', `mongosync is ${state}; a commit needs RUNNING`);
    }
    await shown(context, api, (progress) => progress.state === 'COMMITTED' && progress.canWrite);
    return {};
  },

  async undo(context, { api }) {
    const { state } = await readProgress(context, api);
    context.print(`mongosync is ${state}; the source is the one that counts again, and the destination is outdated`);
    return {};
  },

  async probe(context, { api }, { direction }) {
    if (direction === 'undo') return 'applied';
    const { state, canWrite } = await readProgress(context, api);
    if (state === 'COMMITTED') return canWrite ? 'applied' : 'in-progress';
    return state === 'COMMITTING' ? 'in-progress' : 'not-applied';
  },
});
