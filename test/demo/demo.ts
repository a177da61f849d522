import type { Janitor } from '../lab/janitor.ts';
import { raiseMesh } from './mesh.ts';
import type { DemoOptions } from './options.ts';
import { followRun, followWithSabotage, type Stage, startUpgrade } from './phases.ts';
import { countProof, lookBefore, objections, type Proof } from './proof.ts';
import { proofTable } from './proof-table.ts';
import { pulseOf } from './pulse.ts';
import { guidesOwnRollback } from './rival.ts';
import type { RunRecord } from './run-record.ts';
import type { Screen } from './screen.ts';
import { Signalbox } from './signalbox.ts';

const MESH = 'demo';
const GOOD = 'v1.0.0';
const BAD = 'v1.0.1-bad';

export interface DemoContext {
  options: DemoOptions;
  screen: Screen;
  janitor: Janitor;
  /** Everything that the demo writes is in this folder. */
  dir: string;
}

/** @returns the exit code: 0 when everything that the demo claims was found true. */
export async function runDemo({ options, screen, janitor, dir }: DemoContext): Promise<number> {
  screen.heading('Signalbox', 'a chain node and its three miners, upgraded across four hosts');
  const stage = await setStage({ screen, janitor, dir });
  const { hosts } = stage;
  screen.showFooter(pulseOf(stage));

  screen.heading(`1  The good release ${GOOD}`, 'node first, then one miner, then the rest');
  const good = await startUpgrade(stage, GOOD);
  await followRun(stage, good);

  screen.heading(`2  The bad release ${BAD}`, 'it migrates the data, votes, and crashes: again and again');
  const before = await lookBefore(hosts);
  const byHand = guidesOwnRollback(hosts.rival, BAD);
  // A failure is not lost: it is met again where the number is needed.
  byHand.catch(() => {});
  const bad = await startUpgrade(stage, BAD);
  const sabotage = await followWithSabotage(stage, bad);

  screen.heading('3  The proof', 'counted from the hosts’ own files, not from the run log');
  const runs = [good, bad];
  const proof = await countProof({ hosts, before, runs, sabotage, naiveDoubleSigns: await byHand });
  screen.hideFooter();
  screen.print(...proofTable(proof, screen.paint));
  const wrong = objections(proof, runs);
  screen.print('', ...wrong.map((line) => screen.paint.red(`not proven: ${line}`)));

  if (options.json) process.stdout.write(`${JSON.stringify(summary(runs, proof))}\n`);
  if (options.keep) await keepUp(stage);
  return wrong.length === 0 ? 0 : 1;
}

async function setStage({ screen, janitor, dir }: Omit<DemoContext, 'options'>): Promise<Stage> {
  const { hosts, mesh } = await raiseMesh({ name: MESH, dir, janitor });
  const signalbox = new Signalbox(mesh.settings, (child) => janitor.adopt('signalbox', child));
  const names = hosts.all.map(({ name }) => name).join(', ');
  screen.tell(`NATS with JetStream, coordinator ${mesh.coordinatorPid}, agents on ${names}; everything in ${dir}`);
  screen.tell(
    'on: TLS, hosts with keys of their own that joined by one-time tokens, a policy on each, messengers without keys',
  );
  return { dir, hosts, mesh, signalbox, screen, current: undefined };
}

function summary(runs: readonly RunRecord[], proof: Proof) {
  const { executions, doubles, coordinatorKills, resumeMs, doubleSigns, naiveDoubleSigns, filesChanged } = proof;
  return {
    runs: runs.map(({ runId, runbook, outcome, durationMs, steps }) => ({
      runId,
      runbook,
      outcome,
      durationMs,
      steps,
    })),
    proof: { executions, doubles, coordinatorKills, resumeMs, doubleSigns, naiveDoubleSigns, filesChanged },
  };
}

/** Until Ctrl-C, on which the janitor sweeps. */
function keepUp({ dir, screen, signalbox }: Stage): Promise<never> {
  const line = (args: string) => `  node coordinator/dist/main.js --config ${signalbox.configFile} ${args}`;
  screen.print(
    `The mesh ${MESH} stays up in ${dir}. In another terminal, from this folder:`,
    '',
    line('hosts'),
    line('runs'),
    line('probe cometbft.status --hosts node-1'),
    line('report r3mes-node-upgrade-2 --format md'),
    '',
    'What the policy of a host does not allow is refused:',
    '',
    line('exec --hosts miner-1 --effect read -- uname -a'),
    '',
    'Ctrl-C ends it.',
  );
  return new Promise(() => {});
}
