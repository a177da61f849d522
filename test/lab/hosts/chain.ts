import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@signalbox/protocol/crypto';
import { BACKEND_UNIT } from '../furnish-backend.ts';
import { DASHBOARD_UNIT } from '../furnish-dashboard.ts';
import { MINER_UNIT } from '../furnish-miner.ts';
import { NODE_UNIT } from '../furnish-node.ts';
import { countExecutions, type Executions, readMarks } from '../marks.ts';
import { readSignatures } from '../signatures.ts';
import type { Signature } from '../standins/remesd/signer.ts';
import type { Lab } from './lab.ts';
import type { LabHost } from './lab-host.ts';

/** A runbook as the package brings it. */
export const packaged = (name: string) => `/usr/share/signalbox/runbooks/r3mes/${name}.yaml`;
export const NODE_UPGRADE = packaged('node-upgrade');
export const VALIDATOR_MOVE = packaged('validator-move');
export const NODES = ['node-1', 'node-2'] as const;
export const MINERS = ['miner-1', 'miner-2'] as const;

/** Everything that the chain's other validators saw signed with the validator's key, by whatever host. */
export function signatures(lab: Lab): Signature[] {
  return readSignatures({ paths: { labSignatures: join(lab.observer('chain'), 'signatures.jsonl') } });
}

/** What was done on these hosts in the name of commands. */
export function executions(lab: Lab, hosts: readonly string[]): Executions {
  const marks = hosts.flatMap((host) => readMarks({ paths: { labMarks: join(lab.observer(host), 'marks.jsonl') } }));
  return countExecutions(marks);
}

/**
 * The chain, its nodes and their miners as they were when the lab came up: a new chain, the first release, the spare stopped.
 * Hosts that are off stay off, and keep what they have.
 */
export async function foundAnew(lab: Lab): Promise<void> {
  for (const name of NODES) await lab.host(name).exec(['systemctl', 'stop', NODE_UNIT]);
  for (const file of ['network.json', 'signatures.jsonl']) rmSync(join(lab.observer('chain'), file), { force: true });
  for (const name of NODES) await lab.furnish(lab.host(name));
  await Promise.all(MINERS.map((name) => lab.furnish(lab.host(name))));
}

const UNITS: Partial<Record<LabHost['plan']['role'], string>> = {
  miner: MINER_UNIT,
  backend: BACKEND_UNIT,
  web: DASHBOARD_UNIT,
};

/** What a host is there to run. */
export const unitOf = (host: LabHost) => UNITS[host.plan.role] ?? NODE_UNIT;

/** Parameters of node-upgrade for a release that lies on the node. */
export async function upgradeTo(lab: Lab, version: string): Promise<Record<string, string>> {
  const binary = `/srv/releases/remesd-${version}`;
  const content = lab.host('node-1').get(binary);
  return { binary, sha256: sha256(content), version, minerPackage: 'r3mes-miner==1.0.0', window: '4s' };
}
