import { Resolver } from 'node:dns/promises';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hasAlertmanager,
  hasDnsmasq,
  RealAlertmanager,
  RealDns,
  requireReal,
  until,
} from '@signalbox/protocol/testing';
import { installNginx, NGINX, NGINX_UNIT, type NginxFiles } from '../lab/furnish-nginx.ts';
import { Janitor } from '../lab/janitor.ts';
import { freePorts } from '../lab/ports.ts';
import { createSandbox, type Sandbox, startSandbox, stopSandbox } from '../lab/sandbox.ts';
import { serveCluster, writeKubeconfig } from './cluster/api-server.ts';
import { Cluster } from './cluster/cluster.ts';
import { type DnsProvider, serveZone } from './dns-provider.ts';
import { type Remediation, serveRemediation } from './remediation.ts';
import { startUsers, type Users } from './users.ts';
import { furnish, hasKubectl, World, type WorldParts, workload } from './world.ts';

/** Whether services can be moved on this machine. */
export const canMoveServices =
  hasKubectl &&
  requireReal('nginx (Debian: nginx-light)', existsSync(NGINX)) &&
  requireReal('dnsmasq (Debian: dnsmasq-base)', hasDnsmasq()) &&
  requireReal('Alertmanager (Debian: prometheus-alertmanager)', hasAlertmanager());

export const NAME = 'api.example.test';
/** Where the two places are: the same port, as it would be 443. */
export const [OLD, NEW] = ['127.0.0.1', '127.0.0.2'] as const;
/** Seconds, before the move and after it. */
export const TTL = 3;
const TOKEN = 'Bearer for-tests-only';
const ALERT = { namespace: 'fast-data' };

/** A place's nginx on a host with an agent, from which its users' resolver is looked at. */
interface Edge {
  readonly host: Sandbox;
  readonly nginx: NginxFiles;
}

interface Own {
  readonly port: number;
  readonly zone: RealDns;
  readonly resolvers: readonly [RealDns, RealDns];
  readonly provider: DnsProvider;
  readonly edges: readonly [Edge, Edge];
  readonly there: Cluster;
  readonly remediation: Remediation;
  readonly alertmanager: RealAlertmanager;
}

/**
 * Two places with an nginx and a cluster each; a zone, two resolvers with caches and users behind both; alerts, and
 * remediation that starts what was stopped.
 */
export class ServicesWorld extends World {
  readonly there: Cluster;
  readonly alertmanager: RealAlertmanager;
  readonly remediation: Remediation;
  readonly #own: Own;

  static async start(): Promise<ServicesWorld> {
    const janitor = new Janitor();
    const dir = mkdtempSync(join(tmpdir(), 'sb-sv-'));
    janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
    try {
      const record = { name: NAME, address: OLD, ttlSeconds: TTL };
      const zone = kept(janitor, 'zone', await RealDns.zone([record]));
      const [left, right] = await Promise.all([RealDns.resolver(zone), RealDns.resolver(zone)]);
      const resolvers = [kept(janitor, 'resolver', left), kept(janitor, 'resolver', right)] as const;
      const provider = await serveZone(zone, record, TOKEN);
      janitor.add('provider of the zone', () => provider.close());
      const [port = 0, here = 0, there = 0] = await freePorts(3);
      const old = await edge(janitor, { dir, role: 'old-edge', listen: `${OLD}:${port}`, pod: here, resolver: left });
      const young = await edge(janitor, {
        dir,
        role: 'new-edge',
        listen: `${NEW}:${port}`,
        pod: there,
        resolver: right,
      });
      const edges = [old, young] as const;
      const hosts = edges.map(({ host: { name, labels, path } }) => ({ name, labels, path }));
      const parts = await furnish({ dir, janitor, runbook: 'services-move', hosts });
      const destination = await secondCluster(janitor, dir);
      const remediation = await serveRemediation(parts.cluster);
      janitor.add('remediation', () => remediation.close());
      const alertmanager = kept(janitor, 'Alertmanager', await RealAlertmanager.start(`${remediation.url}/alert`));
      const own = { port, zone, resolvers, provider, edges, there: destination, remediation, alertmanager };
      const world = new ServicesWorld(parts, own);
      await world.#deploy(here, there);
      return world;
    } catch (error) {
      await janitor.sweep();
      throw error;
    }
  }

  private constructor(parts: WorldParts, own: Own) {
    super(parts);
    this.#own = own;
    this.there = own.there;
    this.alertmanager = own.alertmanager;
    this.remediation = own.remediation;
    writeFileSync(join(this.dir, 'secrets', 'dns-token'), `${TOKEN}\n`, { mode: 0o600 });
    this.writeParams(this.#params());
  }

  /** From here on, at both resolvers. */
  users(): Users {
    const { port, resolvers } = this.#own;
    return startUsers({ name: NAME, port, resolvers: resolvers.map(({ server }) => server) });
  }

  /** Has the second resolver keep what the zone says now for so long, whatever TTL it is given; 0: as the zone says. */
  async secondResolverKeeps(seconds: number): Promise<void> {
    const { zone, resolvers } = this.#own;
    const [, second] = resolvers;
    await second.follow(zone, seconds);
    const user = new Resolver();
    user.setServers([second.server]);
    await user.resolve4(NAME);
  }

  async fire(alertname: string): Promise<void> {
    await this.alertmanager.fire({ alertname, ...ALERT });
  }

  async alertIs(alertname: string, state: string): Promise<void> {
    await until(`${alertname} to be ${state}`, async () => (await this.alertmanager.states())[alertname] === state);
  }

  /** Everything that a move changes, by those who have it and not by the run's word. */
  async state(): Promise<object> {
    const { provider, edges, remediation } = this.#own;
    const silences = Object(await (await fetch(`${this.alertmanager.url}/api/v2/silences`)).json());
    return {
      zone: provider.record(),
      upstream: readFileSync(edges[0].nginx.upstreamFile, 'utf8').replaceAll(/\s+/g, ' '),
      here: this.cluster.get('crud').status.readyReplicas,
      there: this.there.get('crud').status.readyReplicas,
      ledTo: this.there.get('crud').spec.template.spec.containers[0]?.env?.some(({ name }) => name === 'MONGODB_URL'),
      silences: silences.filter((silence: unknown) => Object(silence).status.state !== 'expired').length,
      remediation: remediation.enabled,
    };
  }

  get destinationServer(): string {
    return `${NEW}:${this.#own.port}`;
  }

  async #deploy(here: number, there: number): Promise<void> {
    const env = (side: string, port: number) => [
      { name: 'SIDE', value: side },
      { name: 'PORT', value: String(port) },
    ];
    const url = { name: 'MONGODB_URL', valueFrom: { secretKeyRef: { name: 'mongodb-source', key: 'url' } } };
    const argv = workload('web');
    for (const cluster of [this.cluster, this.there])
      cluster.secrets.set('mongodb-source', { url: 'mongodb://source/' });
    this.cluster.create({ name: 'crud', replicas: 1, env: [...env('source', here), url], argv });
    this.there.create({ name: 'crud', replicas: 0, env: env('destination', there), argv });
    await until('the source to serve', () => this.cluster.hasReady('crud', 1), { timeoutMs: 60_000 });
  }

  #params(): object {
    const { provider, edges, zone, alertmanager, remediation } = this.#own;
    const [old, young] = edges;
    return {
      source: this.connection('kubeconfig'),
      destination: this.connection('kubeconfig-there'),
      services: [{ name: 'crud', replicas: 1 }],
      data: [{ name: 'crud-mongodb', deployment: 'crud', variable: 'MONGODB_URL', secret: 'mongodb-source' }],
      health: `http://${this.destinationServer}/-/healthz`,
      upstreamFile: old.nginx.upstreamFile,
      nginxConfig: old.nginx.config,
      oldServer: readFileSync(old.nginx.upstreamFile, 'utf8').match(/server (\S+);/)?.[1],
      newServer: this.destinationServer,
      shares: [
        { new: 50, old: 50 },
        { new: 100, old: 0 },
      ],
      oldLog: old.nginx.accessLog,
      newLog: young.nginx.accessLog,
      names: [{ name: NAME, from: OLD, to: NEW, ttl: TTL, record: provider.url }],
      authority: [zone.server],
      lowTtl: 1,
      dnsToken: this.secretFile('dns-token'),
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
}

async function secondCluster(janitor: Janitor, dir: string): Promise<Cluster> {
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
