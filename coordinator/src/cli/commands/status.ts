import { leftOf } from '../../screens/left-lines.ts';
import { runModel } from '../../screens/model.ts';
import { watchScreen } from '../../screens/watch.ts';
import { whyScreen } from '../../screens/why.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { pickRun } from '../pick-run.ts';

export interface StatusOptions {
  readonly why?: boolean;
}

/** `signalbox status [RUN]`: screen 2 once; for a held run screen 3; with --why what each open step waits for. */
export async function status(cli: Cli, named: string | undefined, { why }: StatusOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, await pickRun(client, named));
  try {
    await feed.refresh({ live: true });
    const input = feed.input();
    const model = runModel(input);
    const { reasons, leftovers } = input.state;
    cli.show({ ...model, reasons, leftovers, left: leftOf(input.state) }, () =>
      why || input.state.status === 'held' ? whyScreen(input) : watchScreen(model, { width: cli.io.columns }),
    );
    return EXIT.done;
  } finally {
    await feed.close();
  }
}
