import { formatDuration } from '@signalbox/protocol';
import { type Cell, indexOf, isEnded, type RunState, writtenId } from '@signalbox/sequencer';
import { runModel } from '../../screens/model.ts';
import { headLine } from '../../screens/status-lines.ts';
import { durationOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { pickRun } from '../pick-run.ts';
import { exitOfRun } from '../run-exit.ts';

export interface WaitOptions {
  readonly for: string;
  readonly timeout?: string;
}

const POLL_MS = 2_000;

/** `signalbox wait [RUN] --for held|done|step=ID`: for scripts; the exit code says what came. */
export async function wait(cli: Cli, named: string | undefined, options: WaitOptions): Promise<ExitCode> {
  const verdict = verdictOf(options.for);
  const timeoutMs = options.timeout === undefined ? undefined : durationOf(options.timeout, '--timeout');
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, await pickRun(client, named));
  const stop = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(), timeoutMs);
  try {
    for (;;) {
      const exit = verdict(feed.log.state);
      if (exit !== undefined) {
        cli.show({ run: feed.log.run, status: feed.log.state.status }, () => [headLine(runModel(feed.input()))]);
        return exit;
      }
      if (stop.signal.aborted) {
        const waited = formatDuration(timeoutMs ?? 0);
        throw cliError(
          'SB-CLI-WAITED',
          `${feed.log.run} is ${feed.log.state.status} after ${waited}; waited for ${options.for}`,
        );
      }
      await feed.wait(POLL_MS, stop.signal);
      await feed.refresh({ live: false });
    }
  } finally {
    clearTimeout(timer);
    await feed.close();
  }
}

type Verdict = (state: RunState) => ExitCode | undefined;

/** @throws SB-CLI-USAGE */
function verdictOf(what: string): Verdict {
  if (what === 'done') return exitOfRun;
  if (what === 'held') return (state) => (state.status === 'held' ? EXIT.done : endedOtherwise(state));
  const step = /^step=(.+)$/.exec(what)?.[1];
  if (step !== undefined) return (state) => stepVerdict(state, step);
  throw cliError('SB-CLI-USAGE', `--for ${what} is not one of held, done, step=ID`);
}

/** What was waited for can come no more. */
function endedOtherwise(state: RunState): ExitCode | undefined {
  return isEnded(state) ? EXIT.failed : undefined;
}

/** @throws SB-CLI-NO-STEP */
function stepVerdict(state: RunState, step: string): ExitCode | undefined {
  const refs = indexOf(state.plan).refs.filter(({ leaf }) => leaf.id === step || writtenId(leaf.id) === step);
  if (refs.length === 0) throw cliError('SB-CLI-NO-STEP', `${state.run} has no step ${step}`);
  const cells = refs.flatMap((ref) => state.cells.get(ref.key) ?? []);
  if (cells.every(isPassed)) return EXIT.done;
  return state.status === 'held' ? EXIT.held : endedOtherwise(state);
}

function isPassed({ phase }: Cell): boolean {
  return phase === 'succeeded' || phase === 'skipped' || phase === 'dropped';
}
