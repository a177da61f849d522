import { join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import type { Janitor } from '../lab/janitor.ts';
import {
  createSandbox,
  type MinerSandbox,
  type NodeSandbox,
  type Sandbox,
  startSandbox,
  stopSandbox,
} from '../lab/sandbox.ts';

export const MINERS = ['miner-1', 'miner-2', 'miner-3'];

export interface DemoHosts {
  node: NodeSandbox;
  miners: MinerSandbox[];
  all: Sandbox[];
  /** A node beside the mesh, which no agent knows: for the guide's own commands. */
  rival: NodeSandbox;
}

/** Four hosts of the mesh and one beside it. */
export async function createHosts(dir: string): Promise<DemoHosts> {
  const [rpc = 0, p2p = 0, rivalRpc = 0, rivalP2p = 0, ...stats] = await freePorts(4 + MINERS.length);
  const node = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
  const miners = MINERS.map((name, i) =>
    createSandbox({ dir, name, role: 'miner', ports: { stats: stats[i] ?? 0, nodeRpc: rpc } }),
  );
  const rival = createSandbox({
    dir: join(dir, 'beside'),
    name: 'node',
    role: 'node',
    ports: { rpc: rivalRpc, p2p: rivalP2p },
  });
  return { node, miners, all: [node, ...miners], rival };
}

/** Boots those of the mesh. */
export async function bootHosts({ all, rival }: DemoHosts, janitor: Janitor): Promise<void> {
  for (const sandbox of [...all, rival]) janitor.add(sandbox.name, () => stopSandbox(sandbox));
  await Promise.all(all.map(startSandbox));
}
