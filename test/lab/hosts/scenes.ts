import { MINERS, NODES, upgradeTo } from './chain.ts';
import { BACKEND_CODE, DATABASE_URI_FILE, OLD_API } from './furnish-platform.ts';
import type { Lab } from './lab.ts';

/** A runbook with what it is played with, as short as its gates allow. */
export interface Scene {
  /** Its file name in runbooks/r3mes. */
  name: string;
  /** Hosts that it may change. */
  hosts: readonly string[];
  params: (lab: Lab) => Promise<Readonly<Record<string, unknown>>>;
}

const QUICK = { window: '1s' };
const DATABASE = {
  database: { uri: `file:${DATABASE_URI_FILE}` },
  alembic: '/usr/bin/alembic',
  code: BACKEND_CODE,
  quietFor: '2s',
};
const platform = async (lab: Lab) => ({
  ...(await upgradeTo(lab, 'v1.0.0')),
  ...DATABASE,
  ...QUICK,
  backendRevision: 'v1.0.0',
  standardise: false,
  gone: [OLD_API],
  api: 'https://api.r3mes.io',
  blockchainRpc: 'https://rpc.r3mes.io',
  socket: 'wss://api.r3mes.io',
  patience: '1m',
});

export const VALIDATOR_MOVES: Scene = { name: 'validator-move', hosts: NODES, params: async () => QUICK };
export const SCENES: readonly Scene[] = [
  VALIDATOR_MOVES,
  {
    name: 'backend-upgrade',
    hosts: ['backend-1'],
    params: async () => ({ ...DATABASE, ...QUICK, revision: 'v1.0.0', patience: '1m' }),
  },
  {
    name: 'node-upgrade',
    hosts: ['node-1', ...MINERS],
    params: async (lab: Lab) => ({ ...(await upgradeTo(lab, 'v1.0.0')), ...QUICK }),
  },
  { name: 'platform-upgrade', hosts: ['backend-1', 'node-1', ...MINERS, 'web-1'], params: platform },
];
