import { randomUUID } from 'node:crypto';
import { type Effect, formatDuration, type HostRecord, type JsonObject, type Plan } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import type { RunState } from '@signalbox/sequencer';
import { runModel } from '../../screens/model.ts';
import { headLine } from '../../screens/status-lines.ts';
import { durationOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { RunFeed } from '../feed.ts';
import { OutputReader, outputLines } from '../output.ts';
import { startRun } from '../start-run.ts';
import { targetsOf } from '../targets.ts';

export interface ExecOptions {
  readonly hosts: readonly string[];
  readonly effect: Effect;
  readonly timeout: string;
}

const STEP = 'exec';
const POLL_MS = 1_000;

/**
 * `signalbox exec --hosts H -- argv...`: one program on some hosts, as a run of one step: logged, at most once a host,
 * and never through a shell.
 */
export async function exec(cli: Cli, argv: readonly string[], options: ExecOptions): Promise<ExitCode> {
  const timeoutMs = durationOf(options.timeout, '--timeout');
  const client = await cli.mesh();
  const targets = targetsOf(await client.ask('hosts', {}), options.hosts);
  const plan = execPlan(client, targets, { argv, effect: options.effect, timeoutMs });
  const { run } = await startRun(client, { plan: JSON.stringify(plan), acceptDrift: false, start: randomUUID() });
  const state = await untilOver(cli, client, { run, alone: targets.length === 1 });
  cli.show({ run, status: state.status, hosts: resultsOf(state) }, () => summaryLines(state));
  return exitOf(state);
}

/** A program that failed is a failure of the command, not something left to do: nobody had promised a way back. */
function exitOf({ status }: RunState): ExitCode {
  if (status === 'completed') return EXIT.done;
  return status === 'aborted' || status === 'rolled-back' ? EXIT.failed : EXIT.held;
}

interface Execution {
  readonly argv: readonly string[];
  readonly effect: Effect;
  readonly timeoutMs: number;
}

/** A runbook of one step, as `makePlan` would have made it. */
export function execPlan(
  client: Pick<MeshClient, 'mesh' | 'operator'>,
  hosts: readonly HostRecord[],
  execution: Execution,
): Plan {
  const { argv, effect, timeoutMs } = execution;
  // `reversible` would need an undo; whoever has one writes a runbook.
  if (effect === 'reversible')
    throw cliError('SB-CLI-USAGE', '--effect reversible needs an undo: write a runbook for it');
  const input: JsonObject = { argv: [...argv], effect };
  const says = argv.join(' ');
  return {
    signalboxPlan: 1,
    mesh: client.mesh,
    runbook: { name: 'exec', summary: says.slice(0, 200), sha256: sha256(`${randomUUID()}\n${says}`) },
    madeAtMs: Date.now(),
    madeBy: client.operator,
    params: {},
    hosts: hosts.map(({ name, labels, key, health }) => ({
      name,
      labels,
      key,
      journal: health?.journal ?? '',
      machine: health?.machine ?? '',
    })),
    roles: { hosts: hosts.map(({ name }) => name) },
    onFailure: 'hold',
    downtime: [],
    steps: [
      {
        kind: 'action',
        id: STEP,
        number: 1,
        line: 1,
        action: 'exec.run',
        version: 1,
        effect,
        reversible: false,
        timeoutMs,
        retry: { attempts: 1, backoffMs: 0, retryOn: [] },
        targets: hosts.map(({ name }) => ({
          host: name,
          with: input,
          does: `run ${says}`,
          touches: [],
          exclusive: [],
        })),
      },
    ],
    observed: [],
    findings: { errors: 0, warnings: 0 },
  };
}

/** Prints what comes until every host has an end. Ctrl-C leaves the run to itself. */
async function untilOver(
  cli: Cli,
  client: MeshClient,
  { run, alone }: { run: string; alone: boolean },
): Promise<RunState> {
  const feed = await RunFeed.open(client, run);
  const reader = new OutputReader(client, { run });
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  const show = async () => {
    const chunks = await reader.next().catch(() => []);
    if (!cli.json) for (const line of outputLines(chunks, { labels: !alone })) cli.io.out(`${line}\n`);
  };
  try {
    while (!feed.ended && !isSettled(feed.log.state) && !stop.signal.aborted) {
      await show();
      await feed.wait(POLL_MS, stop.signal);
      await feed.refresh({ live: false });
    }
    await closeFailed(client, feed);
    await show();
    if (stop.signal.aborted && !cli.json) cli.print(`the run goes on; \`signalbox abort ${run} --leave\` stops it`);
    return feed.log.state;
  } finally {
    release();
    await feed.close();
  }
}

/** Every host has an end or an unknown one. */
function isSettled(state: RunState): boolean {
  return (
    state.status === 'held' &&
    [...state.cells.values()].every(({ phase }) => phase !== 'dispatched' && phase !== 'pending')
  );
}

/**
 * A program that failed has no way back and nothing comes after it: the run is ended as it is. An outcome that nobody
 * knows is left open; that is for a person.
 */
async function closeFailed(client: MeshClient, feed: RunFeed): Promise<void> {
  const { state } = feed.log;
  const cells = [...state.cells.values()];
  if (!isSettled(state) || cells.some(({ phase }) => phase === 'unknown')) return;
  const failed = cells.filter(({ phase }) => phase === 'failed').map(({ host }) => host);
  await client.ask('abort', {
    run: state.run,
    mode: 'leave',
    note: `exec failed on ${failed.join(', ')}; nothing is taken back`,
  });
  await feed.refresh({ live: false });
}

function resultsOf(state: RunState) {
  return [...state.cells.values()].map(({ host, phase, durationMs, failure }) => ({
    host,
    phase,
    durationMs,
    failure,
  }));
}

function summaryLines(state: RunState): string[] {
  const failed = [...state.cells.values()].filter(({ phase }) => phase === 'failed' || phase === 'unknown');
  const took = [...state.cells.values()].flatMap(({ durationMs }) => durationMs ?? []);
  const ended = state.status === 'completed' && took.length > 0 ? `in ${formatDuration(Math.max(...took))}` : '';
  return [
    ...failed.map(
      ({ host, phase, failure }) =>
        `${host}: ${phase === 'unknown' ? 'UNKNOWN' : 'FAILED'} ${failure?.message ?? ''} [${failure?.code ?? ''}]`,
    ),
    ...(failed.length > 0 && state.status === 'held'
      ? [headLine(runModel({ state, entries: [], nowMs: state.atMs, live: undefined, hosts: [], hostsAtMs: 0 }))]
      : [`${state.run}   mesh ${state.mesh}   ${state.status} ${ended}`.trimEnd()]),
  ];
}
