import { countExecutions, readMarks } from '../lab/marks.ts';
import type { Sandbox } from '../lab/sandbox.ts';
import { countDoubleSigns, readSignatures } from '../lab/signatures.ts';
import { compareSnapshots, type Snapshot, takeSnapshot } from '../lab/snapshot.ts';
import type { DemoHosts } from './hosts.ts';
import type { Sabotage } from './phases.ts';
import type { RunRecord } from './run-record.ts';

/** What is counted from the hosts' own files. The run log has no say in it, but for how many commands there were. */
export interface Proof {
  /** Commands that left marks on hosts, and that a run log calls accepted. */
  executions: number;
  commands: number;
  /** Changes that were made twice. */
  doubles: number;
  coordinatorKills: number;
  resumeMs: number;
  signing: { before: number; lowest: number; now: number };
  doubleSigns: number;
  naiveDoubleSigns: number;
  /** Files, units and versions that are not as they were before the bad upgrade. */
  filesChanged: number;
  differences: string[];
  filesCompared: number;
}

/** The hosts before the bad upgrade. */
export interface Before {
  snapshots: Map<Sandbox, Snapshot>;
  signatures: number;
}

export async function lookBefore({ node, all }: DemoHosts): Promise<Before> {
  const snapshots = new Map<Sandbox, Snapshot>();
  for (const sandbox of all) snapshots.set(sandbox, await takeSnapshot(sandbox));
  return { snapshots, signatures: readSignatures(node).length };
}

export interface Evidence {
  hosts: DemoHosts;
  before: Before;
  runs: readonly RunRecord[];
  sabotage: Sabotage;
  naiveDoubleSigns: number;
}

export async function countProof({ hosts, before, runs, sabotage, naiveDoubleSigns }: Evidence): Promise<Proof> {
  const marks = hosts.all.flatMap(readMarks);
  const { commands: seen, doubles } = countExecutions(marks);
  const accepted = new Set(runs.flatMap((run) => [...run.accepted]));
  const signatures = readSignatures(hosts.node);
  const since = signatures.slice(before.signatures).map(({ height }) => height);
  const differences: string[] = [];
  let filesCompared = 0;
  for (const [sandbox, snapshot] of before.snapshots) {
    filesCompared += snapshot.files.size;
    const found = compareSnapshots(snapshot, await takeSnapshot(sandbox));
    differences.push(...found.map((line) => `${sandbox.name}: ${line}`));
  }
  return {
    executions: [...accepted].filter((id) => seen.has(id)).length,
    commands: accepted.size,
    doubles,
    coordinatorKills: sabotage.kills,
    resumeMs: sabotage.resumeMs,
    signing: {
      before: signatures[before.signatures - 1]?.height ?? 0,
      lowest: Math.min(...since),
      now: since.at(-1) ?? 0,
    },
    doubleSigns: countDoubleSigns(signatures),
    naiveDoubleSigns,
    filesChanged: differences.length,
    differences,
    filesCompared,
  };
}

/** What is not as it must be, in words. Empty: everything that the demo claims is true. */
export function objections(proof: Proof, [good, bad]: readonly RunRecord[]): string[] {
  const claims: [boolean, string][] = [
    [good?.outcome === 'completed', `the good upgrade ended ${good?.outcome}`],
    [bad?.outcome === 'rolled-back', `the bad upgrade ended ${bad?.outcome}`],
    [proof.executions === proof.commands, `${proof.commands - proof.executions} commands left no mark on their hosts`],
    [proof.doubles === 0, `${proof.doubles} changes were made twice`],
    [proof.coordinatorKills === 1, 'the coordinator was not killed in the middle of the undo'],
    [
      proof.signing.lowest > proof.signing.before,
      'the validator signed at or below a height that it had signed before',
    ],
    [proof.doubleSigns === 0, `the validator signed ${proof.doubleSigns} heights twice`],
    [proof.naiveDoubleSigns > 0, 'the rollback by hand did not sign twice, so the comparison proves nothing'],
    [proof.filesChanged === 0, `${proof.filesChanged} differences: ${proof.differences.slice(0, 5).join('; ')}`],
  ];
  return claims.filter(([holds]) => !holds).map(([, objection]) => objection);
}
