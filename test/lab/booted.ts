import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import { onTestFinished } from 'vitest';
import {
  createSandbox,
  type MinerSandbox,
  type NodeSandbox,
  type Sandbox,
  startSandbox,
  stopSandbox,
} from './sandbox.ts';

/** A booted node that ends with the test. */
export async function bootedNode(name = 'node-1'): Promise<NodeSandbox> {
  const [rpc = 0, p2p = 0] = await freePorts(2);
  return await booted(createSandbox({ dir: testFolder(), name, role: 'node', ports: { rpc, p2p } }));
}

/** A booted miner that ends with the test; without a node it mines for nobody. */
export async function bootedMiner(name = 'miner-1', node?: NodeSandbox): Promise<MinerSandbox> {
  const [stats = 0, nobody = 0] = await freePorts(2);
  const nodeRpc = node?.ports.rpc ?? nobody;
  return await booted(createSandbox({ dir: testFolder(), name, role: 'miner', ports: { stats, nodeRpc } }));
}

export async function booted<S extends Sandbox>(sandbox: S): Promise<S> {
  onTestFinished(() => stopSandbox(sandbox));
  await startSandbox(sandbox);
  return sandbox;
}

export function testFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sb-lab-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Whether a process still runs; one that has ended and was not waited for by its parent does not. */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}
