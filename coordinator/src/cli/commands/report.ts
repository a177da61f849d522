import { reportScreen } from '../../screens/report.ts';
import { reportOf } from '../../screens/report-model.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { pickRun } from '../pick-run.ts';
import { RunLog } from '../run-log.ts';
import { exportRun } from './export.ts';

export interface ReportOptions {
  readonly format?: 'text' | 'md' | 'json';
  readonly export?: string;
}

/** `signalbox report [RUN] --format text|md|json`: what happened, for people who were not there. */
export async function report(
  cli: Cli,
  named: string | undefined,
  { format = 'text', export: file }: ReportOptions,
): Promise<ExitCode> {
  const client = await cli.mesh();
  const run = await pickRun(client, named);
  if (file !== undefined) return await exportRun(cli, client, { run, file });
  const log = await RunLog.open(client, run);
  const told = reportOf(log.state, log.entries, cli.io.nowMs());
  if (cli.json || format === 'json') cli.printJson(told);
  // Markdown goes into tickets: no colour in it, also on a terminal.
  else if (format === 'md') cli.io.out(`${reportScreen(told, { format }).join('\n')}\n`);
  else cli.print(...reportScreen(told, { format: 'text' }));
  return EXIT.done;
}
