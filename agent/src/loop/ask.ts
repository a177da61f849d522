import type { Action, Begun } from '@signalbox/actions';
import { type Applied, type Command, type JsonObject, SignalboxError, toFailure } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { agentError } from '../codes.ts';
import type { Clock, Execution, ExecutionRequest, Workbench } from '../ports.ts';

/** How long a probe of an action may take after a crash or a stop. */
export const PROBE_TIMEOUT_MS = 30_000;

/** Made once: an error that is made for each question costs more than many a question. */
const OVER = new Error('the question was answered');

export interface BoundedOptions extends Omit<ExecutionRequest, 'signal'> {
  timeoutMs: number;
  /** What is being done, for the message of a timeout. */
  what: string;
}

/**
 * Does something on the host that changes nothing, within a bound. What it started is ended, also when it does not let go.
 * @throws what `task` throws, redacted; SB-AGENT-TIMEOUT; SB-AGENT-ACTION-BROKE for an error that is not declared.
 */
export async function bounded<T>(
  { clock, workbench }: { clock: Clock; workbench: Workbench },
  { timeoutMs, what, ...request }: BoundedOptions,
  task: (context: Execution['context']) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const execution = workbench.open({ ...request, signal: controller.signal });
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () => {
      const error = agentError('SB-AGENT-TIMEOUT', `${what} did not end within ${timeoutMs} ms`);
      controller.abort(error);
      reject(error);
    });
  });
  try {
    return execution.redact(await Promise.race([task(execution.context), late]));
  } catch (error) {
    throw new SignalboxError(execution.redact(failureOf(error)));
  } finally {
    cancel();
    controller.abort(OVER);
    await execution.close();
  }
}

/** A declared failure as it is; anything else is a mistake in an action or a probe, and is called so. */
export function failureOf(error: unknown) {
  return toFailure(error, agentError('SB-AGENT-ACTION-BROKE', '').failure);
}

export interface ProbeQuestion {
  command: Command;
  receipt: JsonObject;
  begun: Begun;
}

/** Asks the action whether it was done. A probe that fails or hangs could not tell. */
export async function askProbe(
  ports: { clock: Clock; workbench: Workbench },
  action: Action,
  { command, receipt, begun }: ProbeQuestion,
): Promise<Applied> {
  const options = { executionId: executionIdOf(command), timeoutMs: PROBE_TIMEOUT_MS, what: `${action.name} probe` };
  try {
    const input = action.schema.parse(command.with);
    return await bounded(ports, options, (context) =>
      action.probe(context, input, { direction: command.direction, receipt, begun }),
    );
  } catch {
    return 'cannot-tell';
  }
}

/** One try at one step, as a name that is safe in a file name and the same after a restart. */
export function executionIdOf({ run, id }: { run: string; id: string }): string {
  return `${run}.${shortHash(id)}`;
}

function shortHash(text: string): string {
  return sha256(text).slice(0, 12);
}
