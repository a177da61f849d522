import { isActive } from '../screens/runs.ts';
import type { MeshClient } from './client.ts';
import { cliError } from './codes.ts';

/**
 * The run that a reading command is about. Left out, it is the one that is active; a command that changes something
 * never guesses. @throws SB-CLI-NO-RUN
 */
export async function pickRun(client: MeshClient, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const { runs } = await client.ask('runs', {});
  const active = runs.filter(isActive).map(({ run }) => run);
  const [only] = active;
  if (active.length === 1 && only !== undefined) return only;
  const said = active.length === 0 ? 'no run is active' : `several are active: ${active.join(', ')}`;
  throw cliError('SB-CLI-NO-RUN', `mesh ${client.mesh}: ${said}`);
}
