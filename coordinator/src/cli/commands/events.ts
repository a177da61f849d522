import { eventLines } from '../../screens/events.ts';
import { timeOfDay } from '../../screens/time.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { pickRun } from '../pick-run.ts';
import { safeText } from '../safe-text.ts';

export interface EventsOptions {
  readonly follow?: boolean;
}

const POLL_MS = 2_000;

/**
 * `signalbox events [RUN] [-f]`: the run's log as sentences. With -f and no RUN: the status events of the whole mesh, as
 * monitoring sees them.
 */
export async function events(cli: Cli, named: string | undefined, { follow }: EventsOptions): Promise<ExitCode> {
  if (follow && named === undefined) return await meshEvents(cli);
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, await pickRun(client, named));
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  try {
    if (!cli.json) cli.print(`${feed.log.run}   mesh ${client.mesh}`);
    for (let told = 0; ; ) {
      for (const entry of feed.log.entries.slice(told)) {
        if (cli.json) cli.printJson(entry);
        else cli.print(...eventLines([entry]).map(({ atMs, text }) => `${timeOfDay(atMs)} ${text}`));
      }
      told = feed.log.entries.length;
      if (!follow || feed.ended || stop.signal.aborted) return EXIT.done;
      await feed.wait(POLL_MS, stop.signal);
      await feed.refresh({ live: false });
    }
  } finally {
    release();
    await feed.close();
  }
}

async function meshEvents(cli: Cli): Promise<ExitCode> {
  const client = await cli.mesh();
  if (!cli.json) cli.print(`mesh ${client.mesh}   status events as they come; Ctrl-C ends`);
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  const unsubscribe = await client.onStatus((subject, data) => {
    const text = Buffer.from(data).toString('utf8');
    if (cli.json) cli.io.out(`${oneLine(text)}\n`);
    else cli.print(safeText(`${subject} ${dataOf(text)}`));
  });
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  release();
  await unsubscribe();
  return EXIT.done;
}

/** A status event is one line, whoever published it. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}

function dataOf(text: string): string {
  try {
    const event: unknown = JSON.parse(text);
    return typeof event === 'object' && event !== null && 'data' in event ? JSON.stringify(event.data) : text;
  } catch {
    return text;
  }
}
