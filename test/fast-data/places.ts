import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, RealAlertmanager, RealDns } from '@signalbox/protocol/testing';
import { installNginx, NGINX_UNIT, type NginxFiles } from '../lab/furnish-nginx.ts';
import type { Janitor } from '../lab/janitor.ts';
import type { MeshHost } from '../lab/mesh.ts';
import { createSandbox, type Sandbox, startSandbox, stopSandbox } from '../lab/sandbox.ts';
import { serveCluster, writeKubeconfig } from './cluster/api-server.ts';
import { Cluster } from './cluster/cluster.ts';
import { type DnsProvider, serveZone } from './dns-provider.ts';
import { type Remediation, serveRemediation } from './remediation.ts';
import { workload } from './world.ts';

export const NAME = 'api.example.test';
/** Where the two places are: the same port, as it would be 443. */
export const [OLD, NEW] = ['127.0.0.1', '127.0.0.2'] as const;
/** Seconds, before the move and after it. */
export const TTL = 3;
const TOKEN = 'Bearer for-tests-only';
export const ALERT = { namespace: 'fast-data' };

/** A place's nginx on a host with an agent, from which its users' resolver is looked at. */
interface Edge {
  readonly host: Sandbox;
  readonly nginx: NginxFiles;
}

/** Two places with an nginx each, and what leads users to the one or the other. */
export interface Places {
  readonly port: number;
  readonly zone: RealDns;
  readonly resolvers: readonly [RealDns, RealDns];
  readonly provider: DnsProvider;
  readonly edges: readonly [Edge, Edge];
  /** Where the pods of the two listen. */
  readonly pods: readonly [number, number];
  /** For the mesh. */
  readonly hosts: readonly MeshHost[];
}

/** What wakes people, and what repairs things by itself. */
export interface Watch {
  readonly remediation: Remediation;
  readonly alertmanager: RealAlertmanager;
}

export async function startPlaces(janitor: Janitor, dir: string): Promise<Places> {
  const record = { name: NAME, address: OLD, ttlSeconds: TTL };
  const zone = kept(janitor, 'zone', await RealDns.zone([record]));
  const [left, right] = await Promise.all([RealDns.resolver(zone), RealDns.resolver(zone)]);
  const resolvers = [kept(janitor, 'resolver', left), kept(janitor, 'resolver', right)] as const;
  const provider = await serveZone(zone, record, TOKEN);
  janitor.add('provider of the zone', () => provider.close());
  const [port = 0, here = 0, there = 0] = await freePorts(3);
  const old = await edge(janitor, { dir, role: 'old-edge', listen: `${OLD}:${port}`, pod: here, resolver: left });
  const young = await edge(janitor, { dir, role: 'new-edge', listen: `${NEW}:${port}`, pod: there, resolver: right });
  const edges = [old, young] as const;
  const hosts = edges.map(({ host: { name, labels, path } }) => ({ name, labels, path }));
  return { port, zone, resolvers, provider, edges, pods: [here, there], hosts };
}

/** Over the services of the source. */
export async function startWatch(janitor: Janitor, source: Cluster): Promise<Watch> {
  const remediation = await serveRemediation(source);
  janitor.add('remediation', () => remediation.close());
  const alertmanager = kept(janitor, 'Alertmanager', await RealAlertmanager.start(`${remediation.url}/alert`));
  return { remediation, alertmanager };
}

/** What a runbook's `dnsToken` names. */
export const writeToken = (dir: string): void =>
  writeFileSync(join(dir, 'secrets', 'dns-token'), `${TOKEN}\n`, { mode: 0o600 });

/** `crud` at both places, at work at the first; nothing leads it to data at the second. */
export function deployWeb({ here, there, places }: { here: Cluster; there: Cluster; places: Places }): void {
  const env = (side: string, port: number) => [
    { name: 'SIDE', value: side },
    { name: 'PORT', value: String(port) },
  ];
  const url = { name: 'MONGODB_URL', valueFrom: { secretKeyRef: { name: 'mongodb-source', key: 'url' } } };
  const argv = workload('web');
  for (const cluster of [here, there]) cluster.secrets.set('mongodb-source', { url: 'mongodb://source/' });
  here.create({ name: 'crud', replicas: 1, env: [...env('source', places.pods[0]), url], argv });
  there.create({ name: 'crud', replicas: 0, env: env('destination', places.pods[1]), argv });
}

export const destinationServer = ({ port }: Places): string => `${NEW}:${port}`;

/** Of `services-move`, all but the clusters and the token, with times that leave no room for waiting. */
export function servicesParams({
  provider,
  edges,
  zone,
  alertmanager,
  remediation,
  ...places
}: Places & Watch): object {
  const [old, young] = edges;
  const destination = destinationServer({ provider, edges, zone, ...places });
  return {
    services: [{ name: 'crud', replicas: 1 }],
    data: [{ name: 'crud-mongodb', deployment: 'crud', variable: 'MONGODB_URL', secret: 'mongodb-source' }],
    health: `http://${destination}/-/healthz`,
    upstreamFile: old.nginx.upstreamFile,
    nginxConfig: old.nginx.config,
    oldServer: readFileSync(old.nginx.upstreamFile, 'utf8').match(/server (\S+);/)?.[1],
    newServer: destination,
    shares: [
      { new: 50, old: 50 },
      { new: 100, old: 0 },
    ],
    oldLog: old.nginx.accessLog,
    newLog: young.nginx.accessLog,
    names: [{ name: NAME, from: OLD, to: NEW, ttl: TTL, record: provider.url }],
    authority: [zone.server],
    lowTtl: 1,
    alertmanager: alertmanager.url,
    alertValue: ALERT.namespace,
    remediation: [{ name: 'restarts', url: `${remediation.url}/rule` }],
    enough: 20,
    window: '1s',
    quiet: '2s',
    look: '500ms',
    patience: '30s',
    switchedWithin: '6s',
    waitForDns: '1m',
  };
}

export async function secondCluster(janitor: Janitor, dir: string): Promise<Cluster> {
  const cluster = new Cluster('fast-data');
  janitor.add(
    'destination',
    () => cluster.end(),
    () => cluster.killNow(),
  );
  const { url, close } = await serveCluster(cluster);
  janitor.add('API server of the destination', close);
  writeKubeconfig(join(dir, 'secrets', 'kubeconfig-there'), { url, namespace: cluster.namespace });
  return cluster;
}

interface EdgeOptions {
  dir: string;
  role: string;
  listen: string;
  /** Where the place's own pod listens. */
  pod: number;
  resolver: RealDns;
}

async function edge(janitor: Janitor, { dir, role, listen, pod, resolver }: EdgeOptions): Promise<Edge> {
  const labels = { role, looks: 'dns', resolver: resolver.server };
  const host = createSandbox({ dir: join(dir, 'hosts'), name: role, role: 'service', labels, unit: NGINX_UNIT });
  const nginx = installNginx(host.paths, { listen, upstream: 'fast_data', servers: [`127.0.0.1:${pod}`] });
  janitor.add(role, () => stopSandbox(host));
  await startSandbox(host);
  return { host, nginx };
}

function kept<S extends AsyncDisposable & { killNow(): void }>(janitor: Janitor, name: string, server: S): S {
  janitor.add(
    name,
    async () => await server[Symbol.asyncDispose](),
    () => server.killNow(),
  );
  return server;
}
