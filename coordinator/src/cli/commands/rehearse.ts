import { setTimeout as wait } from 'node:timers/promises';
import { clocksOf, readinessOf, readinessScreen } from '../../screens/readiness.ts';
import type { Cli } from '../cli.ts';
import { earlierTimes } from '../earlier-runs.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { lookAtHosts } from '../live-look.ts';
import { type PlanWishes, planFile } from '../planning.ts';

export interface RehearseOptions extends PlanWishes {
  readonly watch?: boolean;
}

const LOOK_AGAIN_MS = 10_000;

/** `signalbox rehearse FILE`: every check and probe of a runbook on its real hosts, without changing anything. */
export async function rehearse(cli: Cli, file: string, options: RehearseOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const { plan, problems } = await planFile(cli, client, file, options);
  const earlier = await earlierTimes(client, plan.runbook.name);
  const clocks = clocksOf(plan, earlier);
  const stopped = new AbortController();
  const leave = cli.io.onInterrupt(() => stopped.abort());
  let look = { observed: plan.observed, problems: [...problems] };
  let ready = false;
  try {
    for (;;) {
      const rows = readinessOf(plan, look, earlier);
      ready = rows.every(({ state }) => state !== 'missing');
      const { observed } = look;
      cli.show({ plan: plan.runbook, ready, steps: rows, clocks }, () =>
        readinessScreen(plan, { rows, clocks, observed }),
      );
      if (!options.watch || stopped.signal.aborted) break;
      await wait(LOOK_AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) break;
      look = await lookAtHosts(client, plan);
    }
  } finally {
    leave();
  }
  return ready ? EXIT.done : EXIT.failed;
}
