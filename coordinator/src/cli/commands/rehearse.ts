import { setTimeout as wait } from 'node:timers/promises';
import { indexOf, writtenId } from '@signalbox/sequencer';
import { clocksOf, type Durations, readinessOf, readinessScreen } from '../../screens/readiness.ts';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { lookAtHosts } from '../live-look.ts';
import { type PlanWishes, planFile } from '../planning.ts';
import { RunLog } from '../run-log.ts';

export interface RehearseOptions extends PlanWishes {
  readonly watch?: boolean;
}

/** So many earlier runs are asked how long they took. */
const EARLIER_RUNS = 5;
const LOOK_AGAIN_MS = 10_000;

/** `signalbox rehearse FILE`: every check and probe of a runbook on its real hosts, without changing anything. */
export async function rehearse(cli: Cli, file: string, options: RehearseOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const { plan, problems } = await planFile(cli, client, file, options);
  const durations = await earlierDurations(client, plan.runbook.name);
  const clocks = clocksOf({ plan, durations });
  const stopped = new AbortController();
  const leave = cli.io.onInterrupt(() => stopped.abort());
  let look = { observed: plan.observed, problems: [...problems] };
  try {
    for (;;) {
      const rows = readinessOf(plan, look, durations);
      cli.show({ plan: plan.runbook, ready: look.problems.length === 0, steps: rows, clocks }, () =>
        readinessScreen(plan, rows, clocks),
      );
      if (!options.watch || stopped.signal.aborted) break;
      await wait(LOOK_AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) break;
      look = await lookAtHosts(client, plan);
    }
  } finally {
    leave();
  }
  return look.problems.length === 0 ? EXIT.done : EXIT.failed;
}

/** The median of what each step took in the newest runs of the runbook that completed. */
async function earlierDurations(client: MeshClient, runbook: string): Promise<Durations> {
  const { runs } = await client.ask('runs', {});
  const earlier = runs
    .filter((run) => run.runbook === runbook && run.status === 'completed')
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .slice(0, EARLIER_RUNS);
  const took = new Map<string, number[]>();
  for (const { run } of earlier) {
    const { state } = await RunLog.open(client, run);
    for (const { leaf, key } of indexOf(state.plan).refs) {
      const cell = state.cells.get(key);
      const ms = cell?.durationMs ?? elapsed(cell);
      if (ms !== undefined) took.set(writtenId(leaf.id), [...(took.get(writtenId(leaf.id)) ?? []), ms]);
    }
  }
  return new Map([...took].map(([step, all]) => [step, all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0]));
}

/** Gates have no command whose time an agent could tell; the log has when they began and ended. */
function elapsed(
  cell: { startedAtMs: number | undefined; endedAtMs: number | undefined } | undefined,
): number | undefined {
  if (cell?.startedAtMs === undefined || cell.endedAtMs === undefined) return undefined;
  return cell.endedAtMs - cell.startedAtMs;
}
