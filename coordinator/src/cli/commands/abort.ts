import { SignalboxError } from '@signalbox/protocol';
import { appliedOf } from '@signalbox/sequencer';
import { runModel } from '../../screens/model.ts';
import { rehearseUndo } from '../../screens/rehearse.ts';
import { headLine } from '../../screens/status-lines.ts';
import { undoLines } from '../../screens/undo-lines.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { safeText } from '../safe-text.ts';
import { told } from './decisions.ts';

export interface AbortOptions {
  readonly undo?: boolean;
  readonly leave?: boolean;
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly note?: string;
}

/** `signalbox abort RUN --undo|--leave`: the word means opposite things to different people, so one of them is said. */
export async function abort(cli: Cli, run: string, { undo, leave, to, dryRun, note }: AbortOptions): Promise<ExitCode> {
  if ((undo === true) === (leave === true)) {
    throw cliError(
      'SB-CLI-USAGE',
      'abort wants exactly one of --undo (take everything back) and --leave (stop, leave all as it is)',
    );
  }
  if (leave && to !== undefined) throw cliError('SB-CLI-USAGE', '--to says how far --undo goes; --leave goes nowhere');
  const mode = undo ? 'undo' : 'leave';
  if (dryRun) return await rehearse(cli, run, { mode, to });
  if (note === undefined) throw cliError('SB-CLI-USAGE', `abort --${mode} wants --note "why"`);
  const client = await cli.mesh();
  await client.ask('abort', { run, mode, note, ...(to === undefined ? {} : { to }) });
  return await told(cli, run, 'abort');
}

/** Nothing is sent: the way back is gone through here, on the run as its log tells it. */
async function rehearse(
  cli: Cli,
  run: string,
  { mode, to }: { mode: 'undo' | 'leave'; to: string | undefined },
): Promise<ExitCode> {
  const feed = await RunFeed.open(await cli.mesh(), run);
  try {
    await feed.refresh({ live: true });
    const { state } = feed.log;
    if (mode === 'leave') {
      const left = appliedOf(state);
      cli.show({ run, mode, leaves: left }, () => [
        headLine(runModel(feed.input())),
        'would end as aborted and leave:',
        ...left.map(({ step, host, what }) => `  ${host ?? 'the run'}  ${step}  ${safeText(what)}`),
      ]);
      return EXIT.done;
    }
    const rehearsal = rehearseUndo(state, { to, times: feed.input().undoTimes });
    if ('refused' in rehearsal) throw new SignalboxError(rehearsal.refused.failure);
    const then = to === undefined ? [] : [`then the run is held; ${to} and what is before it stay as they are`];
    cli.show({ run, mode, ...rehearsal }, () => [headLine(runModel(feed.input())), ...undoLines(rehearsal), ...then]);
    return EXIT.done;
  } finally {
    await feed.close();
  }
}
