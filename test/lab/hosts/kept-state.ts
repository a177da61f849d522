import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNetwork } from '../standins/remesd/network.ts';
import { NODES, unitOf } from './chain.ts';
import { DOCKER_UNITS } from './furnish-docker.ts';
import { POSTGRES_UNIT } from './furnish-platform.ts';
import { GREEN_UNIT, NGINX_UNIT, USERS_UNIT } from './furnish-production.ts';
import { STORE_UNIT } from './furnish-secrets.ts';
import type { Lab } from './lab.ts';
import type { LabHost } from './lab-host.ts';
import { must } from './machine-program.ts';

/** Where a run, or a blow in the middle of it, may leave something on a host. */
const PLACES = [
  'home',
  'opt',
  'srv',
  'usr/local/bin',
  'etc/systemd/system',
  'etc/r3mes',
  'etc/nginx',
  'var/lib/postgresql',
];

/** Hosts and their chain as they were at one moment, to be put back: much sooner than furnishing them again. */
export class KeptState {
  readonly #lab: Lab;
  readonly #hosts: readonly LabHost[];
  readonly #folder: string;
  #keptAtMs = 0;

  /** What runs on the hosts stands still while it is taken, and goes on after it. */
  static async of(lab: Lab, names: readonly string[]): Promise<KeptState> {
    const kept = new KeptState(lab, names);
    await kept.#keep();
    await kept.restore();
    return kept;
  }

  private constructor(lab: Lab, names: readonly string[]) {
    this.#lab = lab;
    this.#hosts = names.map((name) => lab.host(name));
    this.#folder = join(lab.folder, 'kept');
  }

  async #keep(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    await Promise.all(this.#hosts.map(stop));
    this.#keptAtMs = Date.now();
    await Promise.all(
      this.#hosts.map(async (host) => {
        for (const place of PLACES) await copy(join(host.root, place), this.#kept(host, place));
      }),
    );
    await copy(this.#lab.observer('chain'), join(this.#folder, 'chain'));
  }

  /** The hosts must be on. */
  async restore(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => this.#putBack(host)));
    if (this.#hosts.some(({ name }) => name === NODES[0])) this.#rewindChain();
    await Promise.all(this.#hosts.map(start));
  }

  /** The chain went on without them; for its nodes it stood still. */
  #rewindChain(): void {
    const chain = this.#lab.observer('chain');
    copyFileSync(join(this.#folder, 'chain', 'signatures.jsonl'), join(chain, 'signatures.jsonl'));
    const network = readNetwork(join(this.#folder, 'chain', 'network.json'));
    const startedAtMs = network.startedAtMs + Date.now() - this.#keptAtMs;
    writeFileSync(join(chain, 'network.json'), JSON.stringify({ ...network, startedAtMs }));
  }

  async #putBack(host: LabHost): Promise<void> {
    await stop(host);
    for (const place of PLACES) {
      const there = join(host.root, place);
      if (existsSync(there)) await must(['find', there, '-mindepth', '1', '-delete']);
      await copy(this.#kept(host, place), there);
    }
    for (const left of [unitOf(host), `${unitOf(host)}.d`]) {
      await host.run(['rm', '--recursive', '--force', `/run/systemd/system/${left}`]);
    }
    writeFileSync(join(this.#lab.observer(host.name), 'marks.jsonl'), '');
    await host.run(['systemctl', 'daemon-reload']);
    await host.exec(['systemctl', 'reset-failed']);
  }

  #kept(host: LabHost, place: string): string {
    return join(this.#folder, host.name, place);
  }
}

async function copy(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  await must(['cp', '--archive', '--reflink=auto', `${from}/.`, `${to}/`]);
}

const isBackend = (host: LabHost) => host.plan.role === 'backend';
const unitsOf = (host: LabHost) => [...(isBackend(host) ? [POSTGRES_UNIT, NGINX_UNIT] : []), unitOf(host)];

/** A unit that is masked stops as well, and so does what only some scenes start. */
async function stop(host: LabHost): Promise<void> {
  await host.run([
    'systemctl',
    'stop',
    ...(isBackend(host) ? [USERS_UNIT, GREEN_UNIT, STORE_UNIT, ...DOCKER_UNITS] : []),
    ...unitsOf(host),
  ]);
}

/** A spare has everything, and runs nothing. */
async function start(host: LabHost): Promise<void> {
  if (host.plan.role !== 'spare') await host.run(['systemctl', 'start', ...unitsOf(host)]);
}
