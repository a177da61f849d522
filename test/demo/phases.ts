import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { z } from 'zod';
import { downloadedBinary } from '../lab/furnish-node.ts';
import type { InitMesh } from '../lab/init-mesh.ts';
import { NODE_UPGRADE } from '../lab/programs.ts';
import type { DemoHosts } from './hosts.ts';
import { RunRecord } from './run-record.ts';
import type { Screen } from './screen.ts';
import type { Signalbox } from './signalbox.ts';
import { tellEntry } from './story.ts';

export interface Stage {
  /** Everything that the demo writes is in this folder. */
  dir: string;
  hosts: DemoHosts;
  mesh: InitMesh;
  signalbox: Signalbox;
  screen: Screen;
  /** The run that is shown. */
  current: RunRecord | undefined;
}

/** How long a gate must hold here: short enough to watch, long enough for ten blocks. */
const WINDOW = '3s';
const RUN_TIMEOUT_MS = 120_000;

/** What `signalbox start --detach --json` says. */
const Started = z.object({ started: z.string() });

/** Plans the upgrade to a release that lies on the node, and starts the plan. */
export async function startUpgrade({ dir, hosts, signalbox }: Stage, version: string): Promise<RunRecord> {
  const { paths, home } = hosts.node;
  const binary = downloadedBinary(paths, version);
  const plan = join(dir, `${version}.plan`);
  const params = {
    binary,
    sha256: createHash('sha256').update(readFileSync(binary)).digest('hex'),
    version,
    minerPackage: 'r3mes-miner==1.0.0',
    home,
    window: WINDOW,
  };
  const given = Object.entries(params).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
  await signalbox.run(['plan', NODE_UPGRADE, ...given, '--out', plan]);
  const { started } = Started.parse(await signalbox.json(['start', plan, '--detach', '--yes']));
  return new RunRecord(started);
}

/** Tells what happens until the run has ended. The log is followed from its beginning, also across coordinators. */
export async function followRun(stage: Stage, record: RunRecord, onChange: () => void = () => {}): Promise<void> {
  const { signalbox, screen } = stage;
  stage.current = record;
  let seen = 0;
  await until(
    `the end of ${record.runId}`,
    async () => {
      await signalbox.follow(record.runId, (entry) => {
        if (entry.index < seen) return;
        seen = entry.index + 1;
        record.add(entry);
        for (const line of tellEntry(entry, screen.paint)) screen.tell(line);
        onChange();
      });
      return record.outcome !== undefined;
    },
    { timeoutMs: RUN_TIMEOUT_MS },
  );
}

export interface Sabotage {
  kills: number;
  /** From the new process to its first entry in the log. */
  resumeMs: number;
}

/** How long the mesh is left without a coordinator: long enough to see that the hosts do not care. */
const OUTAGE_MS = 1_500;
/** So many undos must be done before the kill, so that it hits the middle and not an end. */
const UNDONE_BEFORE_KILL = 2;

/** Follows a run to its end and kills the coordinator when the undo is half-way. */
export async function followWithSabotage(stage: Stage, record: RunRecord): Promise<Sabotage> {
  const { mesh, screen } = stage;
  const { bold, red, dim, green } = screen.paint;
  let sabotage: Promise<number> | undefined;
  const strike = async (): Promise<number> => {
    screen.tell(bold(red(`✂ now we kill -9 the coordinator (pid ${mesh.coordinatorPid}), in the middle of the undo`)));
    await mesh.killCoordinator();
    screen.tell(dim('no coordinator; agents finish what they run'));
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    const startedAtMs = Date.now();
    mesh.startCoordinator();
    screen.tell(green(`coordinator started again (pid ${mesh.coordinatorPid}); it reads the log and goes on`));
    return startedAtMs;
  };
  await followRun(stage, record, () => {
    if (record.undone < UNDONE_BEFORE_KILL || record.outcome !== undefined || sabotage) return;
    sabotage = strike();
    // A failure is not lost: it is met again below.
    sabotage.catch(() => {});
  });
  if (!sabotage) return { kills: 0, resumeMs: 0 };
  return { kills: 1, resumeMs: record.ledAtMs - (await sabotage) };
}
