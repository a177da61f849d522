import {
  describeBroken,
  type JsonObject,
  judge,
  SignalboxError,
  type VoteEvidence,
  type VoteGuard,
} from '@signalbox/protocol';
import type { z } from 'zod';
import { agentError } from '../codes.ts';
import type { Clock, Toolbox, Workbench } from '../ports.ts';
import { bounded, failureOf } from './ask.ts';

/** What measuring needs of the world. */
export interface LookPorts {
  clock: Clock;
  toolbox: Toolbox;
  workbench: Workbench;
}

/** Takes one sample of a probe. @throws SignalboxError: there is no such probe, or it cannot tell. */
export async function sample(
  ports: LookPorts,
  { probe: name, with: input, ...bounds }: { probe: string; with: JsonObject; executionId: string; timeoutMs: number },
) {
  const probe = ports.toolbox.probeByName(name);
  if (probe === undefined) throw agentError('SB-AGENT-UNKNOWN-PROBE', `no probe ${name} here`);
  const parsed = parseInput(probe, input);
  const refused = ports.toolbox.policy.refusal({ kind: 'probe', name, input: parsed });
  if (refused) throw new SignalboxError(refused);
  return await bounded(ports, { ...bounds, what: name }, (context) => probe.sample(context, parsed));
}

/** Whether a guard of a point of no return holds now. Never throws: what cannot be measured does not hold [I11]. */
export async function lookAt(
  ports: LookPorts,
  guard: VoteGuard,
  bounds: { executionId: string; timeoutMs: number },
): Promise<VoteEvidence> {
  const { step, probe, with: input, until, seed } = guard;
  try {
    const values = await sample(ports, { probe, with: input, ...bounds });
    // Two samples, the one that met the gate and this one, so that a counter that has moved since is noticed.
    const window = [seed, values].map((taken, i) => ({ atMs: i, values: taken }));
    const broken = judge(until, window).find(({ breaks }) => breaks);
    return { step, values, ...(broken ? { why: describeBroken(broken) } : {}) };
  } catch (error) {
    return { step, why: `no fresh sample could be taken: ${failureOf(error).message}` };
  }
}

/** @throws SB-AGENT-INPUT */
export function parseInput<T extends object>(
  { name, schema }: { name: string; schema: z.ZodType<T> },
  input: JsonObject,
): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = ['with', ...(issue?.path ?? [])].join('.');
  throw agentError('SB-AGENT-INPUT', `${name}: ${where}: ${issue?.message}`);
}
