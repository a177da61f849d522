import { SignalboxError } from '@signalbox/protocol';
import { probeError } from '../codes.ts';
import type { Probe } from '../contract.ts';

/** Nothing but coded failures leaves a probe. */
export function guarded(probe: Probe): Probe {
  return {
    ...probe,
    sample: async (context, input) => {
      try {
        return await probe.sample(context, input);
      } catch (error) {
        if (error instanceof SignalboxError) throw error;
        const message = error instanceof Error ? error.message : String(error);
        throw probeError('SB-PROBE-FAILED', `${probe.name}: ${message}`, { cause: error });
      }
    },
  };
}
