import { type HostContext, SignalboxError } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import type { Action } from '../contract.ts';

/**
 * Makes good what the contract promises of every action: nothing but coded failures leaves it, and `check` reports what
 * it cannot find out as a problem, so that a plan names all problems at once.
 */
export function guarded(action: Action): Action {
  const { undo } = action;
  return {
    ...action,
    check: async (context, input) => {
      try {
        return await action.check(context, input);
      } catch (error) {
        return { before: {}, problems: [coded(error, context).failure] };
      }
    },
    run: (context, input, before) => coding(context, () => action.run(context, input, before)),
    probe: (context, input, question) => coding(context, () => action.probe(context, input, question)),
    ...(undo && { undo: (context, input, receipt) => coding(context, () => undo(context, input, receipt)) }),
  };
}

async function coding<T>(context: HostContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw coded(error, context);
  }
}

function coded(error: unknown, context: HostContext): SignalboxError {
  if (error instanceof SignalboxError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (context.signal.aborted) return actionError('SB-ACT-COMMAND-CUT', 'stopped before it was done', { cause: error });
  const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return actionError(full ? 'SB-ACT-DISK-FULL' : 'SB-ACT-FILE', message, { cause: error });
}
