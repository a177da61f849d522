import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { MINERS, NODES, upgradeTo } from './chain.ts';
import type { Lab } from './lab.ts';
import { QUICK, type Scene } from './scene.ts';

/** The chain's blocks are quick, and so its window for validators that are away is short: seconds. */
const EXPORT = { file: '/srv/state.json', reserve: 5, ...QUICK };
const brought = {
  do: async (lab: Lab) => lab.host('node-2').put(EXPORT.file, lab.host('node-1').get(EXPORT.file), 0o600),
  undo: async (lab: Lab) => rmSync(join(lab.host('node-2').root, EXPORT.file)),
};

/** A release with the query for task pools, which no real one has, runs on the node. */
async function withPools(lab: Lab): Promise<void> {
  const node = lab.host('node-1');
  await node.run(['cp', '/srv/releases/remesd-v1.1.0-pools', '/usr/local/bin/remesd']);
  await node.run(['systemctl', 'restart', 'remesd.service']);
}

export const VALIDATOR_MOVES: Scene = {
  name: 'validator-move',
  hosts: NODES,
  params: async () => ({ ...QUICK, checklist: false }),
};
export const CHAIN_SCENES: readonly Scene[] = [
  VALIDATOR_MOVES,
  {
    name: 'node-upgrade',
    hosts: ['node-1', ...MINERS],
    params: async (lab: Lab) => ({ ...(await upgradeTo(lab, 'v1.0.0')), ...QUICK }),
  },
  { name: 'miner-upgrade', hosts: MINERS, params: async () => ({ ...QUICK, package: 'r3mes-miner==1.0.0' }) },
  {
    name: 'miner-move',
    hosts: MINERS,
    params: async () => ({
      ...QUICK,
      nodeGrpc: 'node-1:26657',
      backend: 'https://staging-api.r3mes.io',
      ipfs: 'http://staging-ipfs:5001',
    }),
  },
  { name: 'state-export', hosts: ['node-1'], params: async () => EXPORT },
  {
    name: 'task-pools-export',
    hosts: ['node-1'],
    prepare: withPools,
    params: async () => ({ file: '/srv/task-pools.json' }),
  },
  {
    name: 'node-move',
    hosts: ['node-1'],
    params: async () => ({
      ...EXPORT,
      grpc: 'staging-node:9090',
      rpc: 'http://staging-node:26657',
      cors: 'https://staging.r3mes.io',
    }),
  },
  { name: 'chain-state-move', hosts: NODES, params: async () => EXPORT, hands: { 'file-brought': brought } },
];
