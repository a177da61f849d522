import { MINERS, upgradeTo } from './chain.ts';
import { OLD_API } from './furnish-platform.ts';
import type { Lab } from './lab.ts';
import { QUICK, type Scene } from './scene.ts';
import { BACKEND_SCENES, RELEASE } from './scenes-backend.ts';
import { CHAIN_SCENES } from './scenes-chain.ts';

const ADDRESSES = {
  api: 'https://api.r3mes.io',
  blockchainRpc: 'https://rpc.r3mes.io',
  socket: 'wss://api.r3mes.io',
  gone: [OLD_API],
};
const platform = async (lab: Lab) => {
  const { revision, ...release } = RELEASE;
  const node = await upgradeTo(lab, 'v1.0.0');
  return { ...release, ...node, ...QUICK, ...ADDRESSES, backendRevision: revision, checklist: false };
};

/** Runbooks of one part of the platform, and at the end the one of all. */
export const SCENES: readonly Scene[] = [
  ...CHAIN_SCENES,
  ...BACKEND_SCENES,
  {
    name: 'dashboard-move',
    hosts: ['web-1'],
    params: async () => ({ ...ADDRESSES, ...QUICK, backend: 'https://backend.r3mes.io', patience: '1m' }),
  },
  { name: 'platform-upgrade', hosts: ['backend-1', 'node-1', ...MINERS, 'web-1'], params: platform },
];
