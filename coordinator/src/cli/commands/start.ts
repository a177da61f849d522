import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Failure } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { follow } from '../follow.ts';
import { type PlanWishes, planFile } from '../planning.ts';
import { readPlan } from '../run-log.ts';
import { safeText } from '../safe-text.ts';
import { startRun } from '../start-run.ts';
import { problemLines } from './plan.ts';

/** How often a start that waits for its turn is said again. */
const BUSY_RETRY_MS = 2_000;

export interface StartOptions extends PlanWishes {
  readonly detach?: boolean;
  readonly yes?: boolean;
  readonly acceptDrift?: boolean;
  readonly note?: string;
  readonly startId?: string;
}

/** `signalbox start PLAN|FILE`: begins a run of exactly the plan that was reviewed, and follows it. */
export async function start(cli: Cli, file: string, options: StartOptions): Promise<ExitCode> {
  if (options.acceptDrift && options.note === undefined) {
    throw cliError('SB-CLI-USAGE', '--accept-drift wants --note "why that is all right"');
  }
  const client = await cli.mesh();
  const text = await planTextOf(cli, client, { file, options });
  return await startText(cli, client, { text, what: file, options });
}

/** Starts a plan by its exact text. */
export async function startText(
  cli: Cli,
  client: MeshClient,
  { text, what, options }: { text: string; what: string; options: StartOptions },
): Promise<ExitCode> {
  const plan = readPlan(text, what);
  if (plan.mesh !== client.mesh)
    throw cliError('SB-CLI-MESH', `${what} was made for mesh ${plan.mesh}, this is ${client.mesh}`);
  if (!cli.json) {
    const hosts = plan.hosts.map((host) => host.name).join(', ');
    cli.print(
      `START ${plan.runbook.name}   mesh ${plan.mesh}   plan ${sha256(text).slice(0, 12)}   on ${hosts}`,
      safeText(plan.runbook.summary),
    );
  }
  await confirmed(cli, plan.runbook.name, options);
  const wanted = {
    plan: text,
    acceptDrift: options.acceptDrift === true,
    start: options.startId ?? randomUUID(),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const begun = await startRun(client, wanted, { onBusy: plan.whenBusy === 'wait' ? waiting(cli) : undefined });
  cli.show({ started: begun.run, planHash: begun.planHash, drift: begun.drift }, () => [
    `${begun.run} has begun   plan ${begun.planHash.slice(0, 12)}`,
    ...begun.drift.map((drift) => `drift accepted: ${safeText(drift)}`),
  ]);
  if (options.detach) return EXIT.done;
  return await follow(cli, begun.run, { endWhenHeld: !cli.io.canAsk });
}

/** The runbook wants to wait for its turn. Nothing has begun, so Ctrl-C leaves nothing behind. */
function waiting(cli: Cli): (failure: Failure) => Promise<void> {
  let told = '';
  return async ({ message }) => {
    if (message !== told && !cli.json) cli.print(`waits: ${safeText(message)}`);
    told = message;
    await new Promise<void>((resolve) => void setTimeout(resolve, BUSY_RETRY_MS));
  };
}

/** A plan as it is in its file, byte for byte; a runbook is planned on the spot. */
async function planTextOf(
  cli: Cli,
  client: MeshClient,
  { file, options }: { file: string; options: StartOptions },
): Promise<string> {
  const text = readText(resolve(cli.io.cwd, file));
  if (text.trimStart().startsWith('{')) {
    if (options.onFailure) throw cliError('SB-CLI-USAGE', '--on-failure changes the plan: give it to `signalbox plan`');
    return text;
  }
  const made = await planFile(cli, client, file, options);
  if (made.problems.length > 0) {
    if (!cli.json) cli.print(...problemLines(made.problems));
    throw cliError(
      'SB-CLI-HOST-PROBLEMS',
      `${made.problems.length} of the steps cannot be done on their hosts as they are now`,
    );
  }
  if (!cli.json) {
    const { renderPlan } = await import('@signalbox/runbook');
    cli.print(...renderPlan(made.plan, { format: 'text', hash: made.hash }).trimEnd().split('\n'), '');
  }
  return made.text;
}

/** The wrong runbook on the wrong cluster is typed out by nobody. */
async function confirmed(cli: Cli, name: string, { yes }: StartOptions): Promise<void> {
  if (yes) return;
  if (!cli.io.canAsk || cli.json) {
    throw cliError('SB-CLI-USAGE', `nobody can be asked to confirm ${name} here; say --yes`);
  }
  const said = await cli.io.ask(`type the runbook's name to begin (${name}): `);
  if (said?.trim() !== name) throw cliError('SB-CLI-NOT-CONFIRMED', `what was typed is not ${name}`);
}
