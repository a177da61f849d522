import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { downloadedBinary, nodeBinary } from './furnish-node.ts';
import { type NodeSandbox, runOn, showUnit } from './sandbox.ts';
import { highestSignedHeight, readSignatures } from './signatures.ts';
import { type Network, networkHeight, readNetwork } from './standins/remesd/network.ts';

/**
 * The upgrade and the rollback of the R3MES migration guide, by its own commands: what people do by hand today. For the
 * comparison with what Signalbox does, so it runs in a sandbox of its own and never on a host of the mesh.
 */
export async function naiveUpgrade(sandbox: NodeSandbox, version: string): Promise<void> {
  const { home, paths } = sandbox;
  await inOrder(sandbox, [
    ['systemctl', 'stop', 'remesd'],
    ['cp', '-r', join(home, 'data'), join(home, 'data.backup')],
    ['cp', nodeBinary(paths), oldBinary(sandbox)],
    ['cp', downloadedBinary(paths, version), nodeBinary(paths)],
    ['systemctl', 'start', 'remesd'],
  ]);
}

/** "State Rollback": stop, rm -r data, cp -r data.backup data, the old binary, start. */
export async function naiveRollback(sandbox: NodeSandbox): Promise<void> {
  const { home, paths } = sandbox;
  await inOrder(sandbox, [
    ['systemctl', 'stop', 'remesd'],
    ['rm', '-r', join(home, 'data')],
    ['cp', '-r', join(home, 'data.backup'), join(home, 'data')],
    ['cp', oldBinary(sandbox), nodeBinary(paths)],
    ['systemctl', 'start', 'remesd'],
  ]);
}

/**
 * The guide's backup, of a database so large that the chain makes so many blocks during the copy.
 * @returns how many the validator has not signed when it is started again.
 */
export async function naiveBackup(sandbox: NodeSandbox, { blocks }: { blocks: number }): Promise<{ missed: number }> {
  const { home, paths } = sandbox;
  const made = () => networkHeight(readNetwork(paths.labNetwork), Date.now());
  await inOrder(sandbox, [['systemctl', 'stop', 'remesd']]);
  const last = highestHeight(sandbox);
  await inOrder(sandbox, [['cp', '-r', join(home, 'data'), join(home, 'data.backup')]]);
  await until('the copy of a large database to be done', () => made() - last >= blocks);
  const missed = made() - last;
  await inOrder(sandbox, [['systemctl', 'start', 'remesd']]);
  return { missed };
}

/** From here on the others make blocks at this pace. The node is stopped: it learns of it when it starts. */
export function setPace({ paths }: NodeSandbox, blockMs: number): void {
  const network = readNetwork(paths.labNetwork);
  const now = Date.now();
  const changed: Network = { ...network, firstHeight: networkHeight(network, now), startedAtMs: now, blockMs };
  writeFileSync(paths.labNetwork, JSON.stringify(changed));
}

/** A release that crash-loops has been restarted so often, and has voted in between. */
export function crashLoops(sandbox: NodeSandbox, restarts = 3): Promise<true> {
  return until(`${sandbox.unit} to crash again and again`, async () => {
    const { NRestarts } = await showUnit(sandbox, sandbox.unit, ['NRestarts']);
    return Number(NRestarts) >= restarts;
  });
}

export function signsBeyond(sandbox: NodeSandbox, height: number): Promise<true> {
  return until(`a signature above ${height}`, () => {
    const last = readSignatures(sandbox).at(-1);
    return last !== undefined && last.height > height;
  });
}

/** The node has caught up with the network: only then is it like one that has always run. */
export function atTheTip(sandbox: NodeSandbox): Promise<true> {
  const network = readNetwork(sandbox.paths.labNetwork);
  return until('the node to be at the tip of its chain', () => {
    const last = readSignatures(sandbox).at(-1);
    return last !== undefined && last.height >= networkHeight(network, Date.now()) - 1;
  });
}

/** A release signs past everything that others have signed: all double signatures that will come have come. */
export function outgrowsOthers(sandbox: NodeSandbox, release: string): Promise<true> {
  return until(`${release} to sign past all others`, () => {
    const signatures = readSignatures(sandbox);
    const others = highestSignedHeight(signatures.filter(({ version }) => version !== release)) ?? 0;
    const last = signatures.at(-1);
    return last !== undefined && last.version === release && last.height > others;
  });
}

export const highestHeight = (sandbox: NodeSandbox) => highestSignedHeight(readSignatures(sandbox)) ?? 0;

const oldBinary = ({ paths }: NodeSandbox) => join(paths.home, 'admin-remesd.v0.x');

async function inOrder(sandbox: NodeSandbox, commands: readonly (readonly [string, ...string[]])[]): Promise<void> {
  for (const argv of commands) {
    const { exitCode, stderr } = await runOn(sandbox, argv);
    if (exitCode !== 0) throw new Error(`${argv.join(' ')} exited with ${exitCode}: ${stderr.trim()}`);
  }
}
