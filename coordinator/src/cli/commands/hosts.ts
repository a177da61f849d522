import { hostsScreen } from '../../screens/hosts.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export async function hosts(cli: Cli): Promise<ExitCode> {
  const client = await cli.mesh();
  const reply = await client.ask('hosts', {});
  cli.show({ mesh: client.mesh, ...reply }, () => hostsScreen(client.mesh, reply));
  return EXIT.done;
}
