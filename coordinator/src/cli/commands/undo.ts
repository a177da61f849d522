import { resolve } from 'node:path';
import type { Plan } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { writePrivate } from '../files.ts';
import { lookAtHosts } from '../live-look.ts';
import { RunLog } from '../run-log.ts';
import { undoPlan } from '../undo-plan.ts';
import { problemLines } from './plan.ts';
import { type StartOptions, startText } from './start.ts';

export interface UndoOptions extends StartOptions {
  readonly out?: string;
  readonly acceptLoss?: boolean;
}

/** `signalbox undo RUN`: a new run that takes an earlier one back from its receipts, also days later. */
export async function undo(cli: Cli, run: string, options: UndoOptions): Promise<ExitCode> {
  if (options.acceptLoss && options.note === undefined) {
    throw cliError('SB-CLI-USAGE', '--accept-loss wants --note "why that is all right"');
  }
  const client = await cli.mesh();
  const made = await planOf(client, run, options);
  const { observed, problems } = await lookAtHosts(client, made);
  const text = `${JSON.stringify({ ...made, observed, findings: { errors: problems.length, warnings: 0 } }, null, 2)}\n`;
  const { renderPlan } = await import('@signalbox/runbook');
  if (!cli.json) {
    const plan = { ...made, observed };
    cli.print(
      ...renderPlan(plan, { format: 'text', hash: sha256(text) })
        .trimEnd()
        .split('\n'),
      '',
    );
    cli.print(...problemLines(problems));
  }
  if (problems.length > 0) {
    const said = problems.map(({ step, host, failure }) => `${step} on ${host}: ${failure.message} [${failure.code}]`);
    throw cliError('SB-CLI-NO-UNDO', `${run} cannot be taken back as things are: ${said.join('; ')}`);
  }
  if (options.out === undefined) return await startText(cli, client, { text, what: `the undo of ${run}`, options });
  writePrivate(resolve(cli.io.cwd, options.out), text);
  if (!cli.json) cli.print(`written to ${options.out}   start it with: signalbox start ${options.out}`);
  return EXIT.done;
}

/** @throws SB-CLI-NO-UNDO with every reason. */
async function planOf(client: MeshClient, run: string, options: UndoOptions): Promise<Plan> {
  const log = await RunLog.open(client, run);
  const { hosts, nowMs } = await client.ask('hosts', {});
  const made = undoPlan(log.state, {
    run,
    hosts,
    madeBy: client.operator,
    nowMs,
    acceptLoss: options.acceptLoss === true,
    sha256: sha256(log.planText),
  });
  if (made.plan) return made.plan;
  throw cliError('SB-CLI-NO-UNDO', made.refusals.join('; '));
}
