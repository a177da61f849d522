import type { Verb } from '@signalbox/protocol';
import { indexOf, type RunState, writtenId } from '@signalbox/sequencer';
import { runModel } from '../../screens/model.ts';
import { headLine, nextLines } from '../../screens/status-lines.ts';
import { conditionOf, durationOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { RunLog } from '../run-log.ts';

/** Tells what a decision came to: the run as it stands after it. */
export async function told(
  cli: Cli,
  run: string,
  verb: Verb,
  more: (state: RunState) => readonly string[] = () => [],
): Promise<ExitCode> {
  const feed = await RunFeed.open(await cli.mesh(), run);
  try {
    await feed.refresh({ live: true });
    const model = runModel(feed.input());
    cli.show({ run, verb, status: model.status }, () => [
      `${verb}: accepted`,
      headLine(model),
      ...more(feed.log.state),
      ...nextLines(model).map((line) => `next    ${line}`),
    ]);
    return EXIT.done;
  } finally {
    await feed.close();
  }
}

export interface NoteOption {
  readonly note?: string;
}

export async function pause(cli: Cli, run: string, { note }: NoteOption): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('pause', { run, ...(note === undefined ? {} : { note }) });
  return await told(cli, run, 'pause', stillRunning);
}

/** What a pause does not stop. */
function stillRunning(state: RunState): string[] {
  const running = [...state.cells.values()].filter(({ phase }) => phase === 'dispatched' || phase === 'compensating');
  const finishing = running.map(({ host, step }) => `${host} finishes ${step}`).join('; ');
  return [`${finishing === '' ? 'nothing is running' : finishing}; fences stay watched; clocks run on`];
}

export async function resume(cli: Cli, run: string, { note }: NoteOption): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('resume', { run, ...(note === undefined ? {} : { note }) });
  return await told(cli, run, 'resume');
}

export interface StepOptions {
  readonly host?: string;
  readonly item?: string;
  readonly note: string;
}

export async function retry(cli: Cli, [run, step]: readonly [string, string], options: StepOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('retry', await onStep(client, [run, step], options));
  return await told(cli, run, 'retry');
}

export async function skip(cli: Cli, [run, step]: readonly [string, string], options: StepOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('skip', await onStep(client, [run, step], options));
  return await told(cli, run, 'skip');
}

export interface ResolveOptions extends StepOptions {
  readonly as: 'succeeded' | 'not-done';
}

export async function resolve(
  cli: Cli,
  [run, step]: readonly [string, string],
  options: ResolveOptions,
): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('resolve', { ...(await onStep(client, [run, step], options)), as: options.as });
  return await told(cli, run, 'resolve');
}

async function onStep(client: MeshClient, [run, step]: readonly [string, string], { host, item, note }: StepOptions) {
  const named = item === undefined ? step : await withItem(client, run, { step, item });
  return { run, step: named, note, ...(host === undefined ? {} : { host }) };
}

/** `--item svc` of `writers-stopped` is `writers-stopped[svc]`, wherever the brackets stand. @throws SB-CLI-NO-STEP */
async function withItem(
  client: MeshClient,
  run: string,
  { step, item }: { step: string; item: string },
): Promise<string> {
  const { state } = await RunLog.open(client, run);
  const ids = [...indexOf(state.plan).byStep.keys()].filter((id) => writtenId(id) === step && id.includes(`[${item}]`));
  const [only] = ids;
  if (only === undefined || ids.length > 1)
    throw cliError('SB-CLI-NO-STEP', `${run} has no single step ${step} with item ${item}`);
  return only;
}

export async function drop(cli: Cli, run: string, { host, note }: { host: string; note: string }): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('drop', { run, host, note });
  return await told(cli, run, 'drop', () => [`${host} is as the run left it, and is named in the report`]);
}

export interface AdjustOptions {
  readonly timeout?: string;
  readonly until?: readonly string[];
  readonly note: string;
}

export async function adjust(
  cli: Cli,
  [run, step]: readonly [string, string],
  options: AdjustOptions,
): Promise<ExitCode> {
  const { timeout, until, note } = options;
  if (timeout === undefined && until === undefined)
    throw cliError('SB-CLI-USAGE', 'say what to adjust: --timeout or --until');
  const client = await cli.mesh();
  const body = {
    run,
    step,
    note,
    ...(timeout === undefined ? {} : timeoutOf(timeout)),
    ...(until === undefined ? {} : { until: conditionOf(until, '--until') }),
  };
  await client.ask('adjust', body);
  return await told(cli, run, 'adjust');
}

/** `+20m` adds to what there is, `40m` is the whole. */
function timeoutOf(text: string): { addTimeoutMs: number } | { timeoutMs: number } {
  return text.startsWith('+')
    ? { addTimeoutMs: durationOf(text.slice(1), '--timeout') }
    : { timeoutMs: durationOf(text, '--timeout') };
}

export async function note(cli: Cli, run: string, words: readonly string[]): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('note', { run, text: words.join(' ') });
  cli.show({ run, verb: 'note' }, () => [`noted in ${run}`]);
  return EXIT.done;
}

export async function acknowledge(cli: Cli, run: string): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('acknowledge', { run });
  return await told(cli, run, 'acknowledge', () => ['pages stop; the run waits as before']);
}
