import type { HostContext, JsonObject, ValueSpec, Values } from '@signalbox/protocol';
import type { z } from 'zod';

/**
 * Something measured; never changes anything. `values` documents what a sample may carry: a value that cannot be had is
 * left out, and a sample that cannot be taken at all throws, which is a missing sample and never a good one [I11].
 */
export interface Probe<With extends object = JsonObject> {
  readonly name: string;
  readonly version: number;
  readonly summary: string;
  readonly schema: z.ZodType<With>;
  readonly values: Readonly<Record<string, ValueSpec>>;
  readonly open?: boolean;
  readonly refreshesMs?: number;
  readonly secrets?: readonly string[];
  sample(context: HostContext, input: With): Promise<Values>;
}

export function defineProbe<With extends object>(probe: Probe<With>): Probe {
  return probe as unknown as Probe;
}
