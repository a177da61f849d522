import { runModel } from '../../screens/model.ts';
import { dateAndTime } from '../../screens/time.ts';
import { watchScreen } from '../../screens/watch.ts';
import { whyScreen } from '../../screens/why.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { safeText } from '../safe-text.ts';

const NOTES = 10;

/** `signalbox take RUN`: the run is yours from now on; shows all that the one before you knew. */
export async function take(cli: Cli, run: string): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('take', { run });
  const feed = await RunFeed.open(client, run);
  try {
    await feed.refresh({ live: true });
    const input = feed.input();
    const { notes, status } = input.state;
    cli.show({ run, owner: client.operator, status, notes }, () => [
      ...(status === 'held' ? whyScreen(input) : watchScreen(runModel(input), { width: cli.io.columns })),
      '',
      ...(notes.length === 0 ? ['no notes'] : ['last notes']),
      ...notes.slice(-NOTES).map(({ atMs, by, text }) => `  ${dateAndTime(atMs)} ${safeText(by)}: ${safeText(text)}`),
    ]);
    return EXIT.done;
  } finally {
    await feed.close();
  }
}
