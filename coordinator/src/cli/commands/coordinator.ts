import { resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** `signalbox coordinator --config F`: the daemon, in this process, until it is told to end. */
export async function coordinator(cli: Cli): Promise<ExitCode> {
  const config = cli.globals.config;
  if (config === undefined)
    throw cliError('SB-CLI-USAGE', 'coordinator wants --config with the path of coordinator.yaml');
  const { runCoordinator } = await import('../../daemon/main.ts');
  await runCoordinator({ config: resolve(cli.io.cwd, config) });
  return EXIT.done;
}
