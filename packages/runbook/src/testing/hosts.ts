import type { JsonObject } from '@signalbox/protocol';
import type { HostForPlan, PlanInput } from '../plan/input.ts';
import { catalogue } from './catalogue.ts';

/** An online host whose agent can do everything in the test catalogue. */
export function host(name: string, labels: Record<string, string>, over: Partial<HostForPlan> = {}): HostForPlan {
  return {
    name,
    labels,
    journal: `journal-${name}`,
    machine: `machine-${name}`,
    key: `key-${name}`,
    state: 'online',
    actions: catalogue.actions.map((a) => `${a.name}@${a.version}`),
    probes: catalogue.probes.map((p) => `${p.name}@${p.version}`),
    ...over,
  };
}

const miner = (n: number) => host(`miner-${n}`, { role: 'miner', venv: '/home/miner/venv' });
export const nodeHosts = [host('node-1', { role: 'node' }), ...[1, 2, 3, 10, 11].map(miner)];
export const mongoHosts = [host('mirror-1', { role: 'mirror' }), host('kube-1', { role: 'kube' })];
export const kafkaHosts = [host('ops-1', { role: 'kafka-ops' }), host('kube-1', { role: 'kube' })];

export const nodeParams: JsonObject = {
  binary: '/opt/remesd/remesd-1.10',
  sha256: 'ab'.repeat(32),
  version: '1.10',
  minerPackage: 'r3mes-miner==1.0.0',
};
const named = (...names: string[]) => names.map((name) => ({ name }));
export const mongoParams: JsonObject = {
  source: { uri: 'file:/etc/signalbox/src-uri' },
  destination: { uri: 'env:DST_URI' },
  cluster: { namespace: 'fast-data' },
  readers: named('crud', 'crud-lite', 'export'),
  writers: named('rtu', 'svc'),
  urlSecret: 'fd-mongo',
  windowStart: '2026-11-21T02:00:00+01:00',
  decideBy: '2026-11-21T04:30:00+01:00',
};
export const kafkaParams: JsonObject = {
  source: { brokers: 'old-1:9092', password: 'file:/etc/signalbox/old' },
  destination: { brokers: ['new-1:9092', 'new-2:9092'] },
  cluster: { namespace: 'fast-data' },
  connectUrl: 'http://connect-old:8083',
  newConnectUrl: 'http://connect-new:8083',
  connectors: named('cdc-orders'),
  intake: named('api', 'forms'),
  topics: [
    { name: 'orders', groups: ['svc'] },
    { name: 'orders-enriched', groups: ['sink', 'search'], tolerance: 3 },
  ],
  services: named('svc', 'sink'),
  brokersSecret: 'kafka-new',
};

export const EXAMPLES = {
  'node-upgrade': { hosts: nodeHosts, params: nodeParams },
  'mongodb-cutover': { hosts: mongoHosts, params: mongoParams },
  'kafka-cutover': { hosts: kafkaHosts, params: kafkaParams },
} as const;

export function planInput(over: Partial<PlanInput> & Pick<PlanInput, 'hosts' | 'params'>): PlanInput {
  return {
    mesh: 'prod',
    catalogue,
    madeBy: 'ayse',
    nowMs: Date.UTC(2026, 10, 20, 13, 2),
    sha256: '7f3a91c2'.padEnd(64, '0'),
    ...over,
  };
}
