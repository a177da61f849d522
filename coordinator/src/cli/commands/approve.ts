import { formatDuration } from '@signalbox/protocol';
import { cellOf, indexOf, type RunState } from '@signalbox/sequencer';
import { type RunInput, runModel } from '../../screens/model.ts';
import { approvalsGiven } from '../../screens/row-details.ts';
import { brokenWord } from '../../screens/stages.ts';
import { headLine } from '../../screens/status-lines.ts';
import { namedValues } from '../../screens/values.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import type { RunLog } from '../run-log.ts';
import { safeText } from '../safe-text.ts';
import { told } from './decisions.ts';

export interface ApproveOptions {
  readonly note?: string;
  readonly yes?: boolean;
}

/** `signalbox approve RUN STEP`: shows what is approved and on what evidence, asks a person once more, then says yes. */
export async function approve(
  cli: Cli,
  [run, step]: readonly [string, string],
  { note, yes }: ApproveOptions,
): Promise<ExitCode> {
  const client = await cli.mesh();
  const feed = await RunFeed.open(client, run);
  try {
    await feed.refresh({ live: true });
    if (!cli.json) cli.print(...approvalLines(feed.input(), step));
  } finally {
    await feed.close();
  }
  const { log } = feed;
  if (!yes && cli.io.canAsk && !cli.json) {
    const said = await cli.io.ask('approve? [y/N] ');
    if (!/^y(es)?$/i.test(said?.trim() ?? '')) throw cliError('SB-CLI-NOT-CONFIRMED', `${step} was not approved`);
  }
  const start = startOf(log);
  const signed = start === undefined ? undefined : client.agree({ text: log.planText, start, step });
  const agreed = signed === undefined ? {} : { signed };
  await client.ask('approve', { run, step, ...agreed, ...(note === undefined ? {} : { note }) });
  return await told(cli, run, 'approve');
}

/** The start that a run is the run of. */
function startOf({ entries }: RunLog): string | undefined {
  const created = entries[0]?.events.find((event) => event.type === 'RunCreated');
  return created?.start;
}

/** @throws SB-CLI-NO-STEP */
export function approvalLines(input: RunInput, step: string): string[] {
  const { state } = input;
  const leaf = indexOf(state.plan).byStep.get(step)?.[0]?.leaf;
  if (leaf?.kind !== 'approval' && leaf?.kind !== 'pointOfNoReturn') {
    throw cliError('SB-CLI-NO-STEP', `${state.run} has no approval ${step}`);
  }
  const ref = indexOf(state.plan).byStep.get(step)?.[0];
  const given = ref ? approvalsGiven(leaf.approve, cellOf(state, ref)) : '';
  const says = leaf.kind === 'pointOfNoReturn' ? leaf.statement : (leaf.approve.message ?? '');
  return [
    headLine(runModel(input)),
    '',
    `APPROVE ${leaf.number} ${step}   ${safeText(says)}`,
    `  ${given}`,
    ...(leaf.kind === 'pointOfNoReturn' ? evidenceLines(input, leaf.guards) : []),
    ...irreversibleLines(state, step),
  ];
}

/** Each guard with the values that it stands on, and how old they are. */
function evidenceLines({ state, live, nowMs }: RunInput, guards: readonly string[]): string[] {
  return guards.flatMap((guard) =>
    (indexOf(state.plan).byStep.get(guard) ?? []).map((ref) => {
      const cell = cellOf(state, ref);
      const sample = live?.gates.find((g) => g.step === guard && g.host === ref.host)?.samples.at(-1);
      const values = sample?.values ?? cell.values ?? {};
      const ageMs = sample?.ageMs ?? (cell.endedAtMs === undefined ? undefined : nowMs - cell.endedAtMs);
      const age = ageMs === undefined ? 'never met' : `${formatDuration(Math.max(0, ageMs))} old`;
      const named = namedValues(Object.keys(values).slice(0, 6), values);
      return `  guard ${ref.leaf.number} ${guard} on ${ref.host}: ${brokenWord(cell) ?? cell.phase}   ${named}   ${age}`;
    }),
  );
}

/** What can be taken back now and not any more once a point of no return is crossed. */
function irreversibleLines(state: RunState, step: string): string[] {
  const leaf = indexOf(state.plan).byStep.get(step)?.[0]?.leaf;
  if (leaf?.kind !== 'pointOfNoReturn') return [];
  const applied = indexOf(state.plan).refs.filter((ref) => cellOf(state, ref).applied);
  const ids = [...new Set(applied.map((ref) => ref.leaf.id))];
  return [
    `  after it nothing before it is ever taken back: ${ids.length === 0 ? 'nothing was done yet' : ids.join(', ')}`,
  ];
}

export async function reject(
  cli: Cli,
  [run, step]: readonly [string, string],
  { note }: { note: string },
): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('reject', { run, step, note });
  return await told(cli, run, 'reject');
}

/** `signalbox confirm RUN STEP`: a manual step was done, or taken back, by hand. */
export async function confirm(
  cli: Cli,
  [run, step]: readonly [string, string],
  { note }: { note: string },
): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('confirm', { run, step, note });
  return await told(cli, run, 'confirm');
}
