import type { Cli } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { pickRun } from '../pick-run.ts';

/** `signalbox watch [RUN]`: follows until the run has ended, through holds and through the death of a coordinator. */
export async function watch(cli: Cli, named: string | undefined): Promise<ExitCode> {
  const run = await pickRun(await cli.mesh(), named);
  return await follow(cli, run, { endWhenHeld: false });
}
