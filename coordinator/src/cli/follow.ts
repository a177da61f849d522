import { eventLines } from '../screens/events.ts';
import { runModel } from '../screens/model.ts';
import { headLine } from '../screens/status-lines.ts';
import { timeOfDay } from '../screens/time.ts';
import type { Cli } from './cli.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { RunFeed } from './feed.ts';
import type { Following } from './following.ts';
import { exitOfRun } from './run-exit.ts';

export interface FollowOptions {
  /** A script that started a run must learn that it is held; a person at a screen sees it and stays. */
  readonly endWhenHeld: boolean;
}

const POLL_MS = 2_000;

/** Follows a run until it ends: redrawn in place on a terminal, a line an event elsewhere, JSON lines with --json. */
export async function follow(cli: Cli, run: string, options: FollowOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, run);
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  try {
    if (cli.io.isTerminal && !cli.json) {
      const { board } = await import('./board.ts');
      await board({ cli, client, feed, stop });
    } else {
      await lines({ cli, client, feed, stop }, options);
    }
  } finally {
    release();
    await feed.close();
  }
  if (!feed.ended && stop.signal.aborted) goesOn(cli, run);
  return exitOfRun(feed.log.state) ?? EXIT.done;
}

async function lines({ cli, feed, stop }: Following, { endWhenHeld }: FollowOptions): Promise<void> {
  if (!cli.json) cli.print(headLine(runModel(feed.input())));
  let told = 0;
  let away = false;
  while (!stop.signal.aborted) {
    const fresh = feed.log.entries.slice(told);
    told = feed.log.entries.length;
    for (const entry of fresh) {
      if (cli.json) cli.printJson(entry);
      else for (const { atMs, text } of eventLines([entry])) cli.print(`${timeOfDay(atMs)} ${text}`);
    }
    if (feed.away !== away) {
      away = feed.away;
      if (!cli.json) cli.print(away ? 'no coordinator; agents finish what they run' : 'the coordinator is back');
    }
    if (feed.ended || (endWhenHeld && feed.log.state.status === 'held')) break;
    await feed.wait(POLL_MS, stop.signal);
    await feed.refresh({ live: false });
  }
  if (!cli.json) cli.print(headLine(runModel(feed.input())));
}

function goesOn(cli: Cli, run: string): void {
  if (!cli.json)
    cli.print(
      `the run goes on; \`signalbox abort ${run} --undo|--leave\` stops it, \`signalbox watch ${run}\` shows it`,
    );
}
