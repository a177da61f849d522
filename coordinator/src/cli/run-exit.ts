import type { RunState } from '@signalbox/sequencer';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** The exit code that a run's state stands for. A run that is under way has none. */
export function exitOfRun({ status, leftovers }: Pick<RunState, 'status' | 'leftovers'>): ExitCode | undefined {
  switch (status) {
    case 'completed':
      return leftovers.length > 0 ? EXIT.leftByHand : EXIT.done;
    case 'rolled-back':
    case 'aborted':
      return leftovers.length > 0 ? EXIT.leftByHand : EXIT.failed;
    case 'held':
      return EXIT.held;
    default:
      return undefined;
  }
}
