import { Resolver } from 'node:dns/promises';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasAlertmanager, hasDnsmasq, type RealAlertmanager, requireReal, until } from '@signalbox/protocol/testing';
import { NGINX } from '../lab/furnish-nginx.ts';
import { Janitor } from '../lab/janitor.ts';
import type { Cluster } from './cluster/cluster.ts';
import {
  ALERT,
  deployWeb,
  destinationServer,
  NAME,
  type Places,
  secondCluster,
  servicesParams,
  startPlaces,
  startWatch,
  type Watch,
  writeToken,
} from './places.ts';
import type { Remediation } from './remediation.ts';
import { startUsers, type Users } from './users.ts';
import { furnish, hasKubectl, World, type WorldParts } from './world.ts';

/** Whether services can be moved on this machine. */
export const canMoveServices =
  hasKubectl &&
  requireReal('nginx (Debian: nginx-light)', existsSync(NGINX)) &&
  requireReal('dnsmasq (Debian: dnsmasq-base)', hasDnsmasq()) &&
  requireReal('Alertmanager (Debian: prometheus-alertmanager)', hasAlertmanager());

interface Own extends Places, Watch {
  readonly there: Cluster;
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
      const places = await startPlaces(janitor, dir);
      const parts = await furnish({ dir, janitor, runbook: 'services-move', hosts: places.hosts });
      const there = await secondCluster(janitor, dir);
      const world = new ServicesWorld(parts, { ...places, ...(await startWatch(janitor, parts.cluster)), there });
      deployWeb({ here: parts.cluster, there, places });
      await until('the source to serve', () => world.cluster.hasReady('crud', 1), { timeoutMs: 60_000 });
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
    writeToken(this.dir);
    this.writeParams({
      ...servicesParams(own),
      source: this.connection('kubeconfig'),
      destination: this.connection('kubeconfig-there'),
      dnsToken: this.secretFile('dns-token'),
    });
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
    return destinationServer(this.#own);
  }
}
