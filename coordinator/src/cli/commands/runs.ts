import { chosenRuns, runsScreen } from '../../screens/runs.ts';
import { durationOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface RunsOptions {
  readonly active?: boolean;
  readonly since?: string;
}

export async function runs(cli: Cli, { active, since }: RunsOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const nowMs = cli.io.nowMs();
  const sinceMs = since === undefined ? undefined : durationOf(since, '--since');
  const chosen = chosenRuns((await client.ask('runs', {})).runs, { active, sinceMs, nowMs });
  cli.show({ mesh: client.mesh, runs: chosen }, () => runsScreen(client.mesh, chosen, { nowMs }));
  return EXIT.done;
}
