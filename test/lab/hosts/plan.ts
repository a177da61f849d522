/** A host of the lab, before it is there. */
export interface HostPlan {
  name: string;
  address: string;
  /** What `furnish` makes of it beside an agent. */
  role: 'coordinator' | 'node' | 'spare' | 'miner' | 'backend' | 'web' | 'mirror';
  /** As its operator labels it in agent.yaml. */
  labels: Readonly<Record<string, string>>;
}

/** The bridge's own address: where servers listen that are no host of the lab. */
export const BRIDGE_ADDRESS = '10.77.0.1';
export const PREFIX_LENGTH = 24;

/** Where a host sees the stand-ins, and the Node that runs them: not the package's, and on nobody's PATH. */
export const PROGRAMS_ON_HOST = '/usr/lib/signalbox-lab';
export const LAB_NODE = `${PROGRAMS_ON_HOST}/bin/node`;

/** An environment of its own for `r3mes-miner`, where a user's `pip install` puts it. */
export const MINER_VENV = '/home/miner/.local';

const miner = { role: 'miner', labels: { role: 'miner', venv: MINER_VENV } } as const;

/** The addresses live in a network namespace of the lab's own, so they meet nobody else's. */
export const HOSTS: readonly HostPlan[] = [
  { name: 'coord-1', address: '10.77.0.10', role: 'coordinator', labels: { role: 'coordinator' } },
  { name: 'node-1', address: '10.77.0.11', role: 'node', labels: { role: 'node', validator: 'r3mes' } },
  { name: 'node-2', address: '10.77.0.12', role: 'spare', labels: { role: 'spare', validator: 'r3mes' } },
  { name: 'miner-1', address: '10.77.0.21', ...miner },
  { name: 'miner-2', address: '10.77.0.22', ...miner },
  { name: 'backend-1', address: '10.77.0.31', role: 'backend', labels: { role: 'backend' } },
  { name: 'web-1', address: '10.77.0.41', role: 'web', labels: { role: 'web' } },
  { name: 'mirror-1', address: '10.77.0.51', role: 'mirror', labels: { role: 'mirror' } },
];

/** What needs more of the image than an init: the backend with its database, the dashboard, and miners with a Python. */
export const isPlatform = ({ role }: HostPlan) => role === 'backend' || role === 'web' || role === 'miner';

export const COORDINATOR_HOST = 'coord-1';
export const NATS_PORT = 4222;

export function planOf(name: string): HostPlan {
  const plan = HOSTS.find((host) => host.name === name);
  if (!plan) throw new Error(`the lab has no host ${name}; it has ${HOSTS.map((host) => host.name).join(', ')}`);
  return plan;
}
