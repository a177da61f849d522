import type { HostContext, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { type Action, type Asked, defineAction } from '../contract.ts';

const Facts = z.record(z.string(), z.json());

const With = z.strictObject({
  action: z.string().describe('The action of the earlier run.'),
  version: z.int().min(1).describe('Its version then: receipts of another one may mean something else.'),
  with: Facts.describe('What the earlier run gave it.'),
  receipt: Facts.describe('What it returned there.'),
  acceptLoss: z.boolean().default(false).describe('Take it back although that loses what was written since.'),
});
type With = z.infer<typeof With>;

/**
 * The undo of a step of an earlier run, as a step of a new one: `signalbox undo` makes plans of these.
 * @param find the catalogue that this action is itself a part of.
 */
export function earlierUndo(find: (name: string) => Action | undefined): Action {
  const inner = ({ action: name, version, with: input }: With) => {
    const action = find(name);
    if (!action?.undo) throw actionError('SB-ACT-NO-RECEIPT', `${name} has no way back here`);
    if (action.version !== version) {
      throw actionError('SB-ACT-VERSION', `${name} has version ${action.version} here and had ${version} in that run`);
    }
    return { ...action, undo: action.undo, input: action.schema.parse(input) as JsonObject };
  };
  const stateOf = (context: HostContext, input: With, asked: Pick<Asked, 'begun'> = {}) => {
    const action = inner(input);
    return action.probe(context, action.input, { ...asked, direction: 'undo', receipt: input.receipt });
  };

  return defineAction<With>({
    name: 'earlier.undo',
    version: 1,
    summary: 'Takes back one step of an earlier run, from its receipt. Plans of `signalbox undo RUN` are made of it.',
    schema: With,
    effect: 'irreversible',
    does: 'take back {action}',
    touches: [],
    timeoutMs: 60 * 60_000,
    standsFor: ({ action, with: input, receipt }) => ({
      action,
      with: input as JsonObject,
      receipt: receipt as JsonObject,
    }),

    async check(context, input) {
      const state = await stateOf(context, input);
      if (state === 'applied') return { before: { state }, note: 'as it was before already', problems: [] };
      const action = inner(input);
      const lost = (await action.loses?.(context, action.input, input.receipt)) ?? [];
      const problems = [...((await action.hinders?.(context, action.input, input.receipt)) ?? [])];
      if (state === 'cannot-tell') {
        const message = `${input.action}: somebody has changed what it made since`;
        problems.push(actionError('SB-ACT-CHANGED-MEANWHILE', message).failure);
      }
      if (lost.length > 0 && !input.acceptLoss) {
        const message = `taking ${input.action} back loses what was written since: ${lost.slice(0, 10).join('; ')}`;
        problems.push(actionError('SB-ACT-WRITTEN-SINCE', message).failure);
      }
      return { before: { state }, note: lost.length > 0 ? `loses: ${lost.join('; ')}` : state, problems };
    },

    async run(context, input) {
      const action = inner(input);
      return action.undo(context, action.input, input.receipt);
    },

    async probe(context, input, asked) {
      return stateOf(context, input, asked);
    },
  });
}
