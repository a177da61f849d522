import type { Cli } from '../cli.ts';
import { isAway } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { type Chunk, OutputReader, outputLines } from '../output.ts';
import { pickRun } from '../pick-run.ts';

export interface LogsOptions {
  readonly host?: string;
  readonly follow?: boolean;
}

const POLL_MS = 500;

/** `signalbox logs [RUN] [STEP] [--host H] [-f]`: what the steps printed on their hosts. */
export async function logs(
  cli: Cli,
  [named, step]: readonly [string | undefined, string | undefined],
  { host, follow }: LogsOptions,
): Promise<ExitCode> {
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, await pickRun(client, named));
  const reader = new OutputReader(client, { run: feed.log.run, step, host });
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  try {
    for (;;) {
      // Asked before the output is read: what was printed before the end is then shown.
      const last = !follow || feed.ended || stop.signal.aborted;
      show(cli, await reader.next().catch(noneWhileAway), step !== undefined && host !== undefined);
      if (last) return EXIT.done;
      await feed.wait(POLL_MS, stop.signal);
      await feed.refresh({ live: false });
    }
  } finally {
    release();
    await feed.close();
  }
}

function noneWhileAway(error: unknown): Chunk[] {
  if (isAway(error)) return [];
  throw error;
}

function show(cli: Cli, chunks: readonly Chunk[], single: boolean): void {
  if (cli.json) for (const chunk of chunks) cli.printJson(chunk);
  else for (const line of outputLines(chunks, { labels: !single })) cli.io.out(`${line}\n`);
}
