import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildPackages, type Packages } from '@signalbox/packaging';
import { standinFile } from '../executable.ts';
import { MOTO, MOTO_FOLDER, provideMoto } from '../moto.ts';
import { REPOSITORY } from '../programs.ts';
import { ControlGroup } from './cgroup.ts';
import { furnishPlatform, NPM_ON_HOST, npmFolder } from './furnish-platform.ts';
import { AGENT_VARIABLES, MOTO_ON_HOST } from './furnish-secrets.ts';
import { FOR_THE_PLATFORM, provideImage } from './image.ts';
import { LabHost } from './lab-host.ts';
import { ask, must } from './machine-program.ts';
import { createKeys, installNats, type LabKeys, settleAgent, settleCoordinator } from './mesh-files.ts';
import { LabNetwork } from './network.ts';
import { COORDINATOR_HOST, HOSTS, type HostPlan, isPlatform, LAB_NODE, PROGRAMS_ON_HOST, planOf } from './plan.ts';
import { remainsIn } from './remains.ts';
import { whyNoLab } from './requirements.ts';

const PREFIX = 'signalbox-lab';
/** Not in /tmp, which is memory on many machines: the hosts' disks are here. */
const FOLDERS = '/var/tmp';

export interface UpOptions {
  /** Names the lab among others on this machine. */
  name: string;
  say?: (line: string) => void;
  /** Also the hosts of the backend and the dashboard are what they are called; PostgreSQL, Alembic, git and npm are real. */
  platform?: boolean;
}

/** What of a lab is written down, so that another process finds it. */
interface Written {
  image: string;
  /** What the hosts of the platform are made from, where there is one. */
  platformImage?: string;
  packages: Packages;
}

/** Debian hosts with systemd, a network of their own, and the packages that users install. */
export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly packages: Packages;
  readonly hasPlatform: boolean;
  readonly hosts: readonly LabHost[];
  readonly #network: LabNetwork;

  private constructor(name: string, { image, platformImage, packages }: Written) {
    this.name = name;
    this.folder = folderOf(name);
    this.packages = packages;
    this.hasPlatform = platformImage !== undefined;
    this.#network = networkOf(name);
    this.hosts = HOSTS.map(
      (plan) =>
        new LabHost({
          plan,
          image: isPlatform(plan) ? (platformImage ?? image) : image,
          network: this.#network,
          folder: join(this.folder, 'hosts', plan.name),
          group: groupOf(name, plan.name),
          holdsContainers: platformImage !== undefined && plan.role === 'backend',
          binds: [
            { from: this.observer(plan.name), to: '/lab' },
            { from: this.observer('chain'), to: '/lab/chain' },
            { from: join(this.folder, 'programs'), to: PROGRAMS_ON_HOST, readOnly: true },
            ...(this.#hasStore(plan) ? [MOTO_BIND] : []),
          ],
        }),
    );
  }

  /**
   * Brings all hosts up with agents, coordinator and NATS as services. What a lab of that name left behind is removed first.
   * @throws Error when the machine cannot have a lab, or a host does not come up; nothing is left then.
   */
  static async up({ name, say = () => {}, platform = false }: UpOptions): Promise<Lab> {
    const reason = whyNoLab();
    if (reason !== undefined) throw new Error(`no lab on this machine: ${reason}`);
    await Lab.remove(name);
    const folder = folderOf(name);
    const image = await provideImage(say);
    const platformImage = platform ? await provideImage(say, FOR_THE_PLATFORM) : undefined;
    if (platform && !provideMoto()) throw new Error(`there is no ${MOTO}, and it cannot be installed`);
    say('building the packages from this checkout');
    const packages = await buildPackages({ outDir: join(folder, 'packages'), compression: 'none' });
    const written = { image, packages, ...(platformImage === undefined ? {} : { platformImage }) } satisfies Written;
    writeFileSync(join(folder, 'lab.json'), JSON.stringify(written));
    const lab = new Lab(name, written);
    try {
      await lab.#create();
      await lab.#boot(say);
      await lab.#furnish(say);
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  /** A lab that runs; undefined when there is none of that name. */
  static attach(name: string): Lab | undefined {
    const file = join(folderOf(name), 'lab.json');
    if (!existsSync(file)) return undefined;
    return new Lab(name, JSON.parse(readFileSync(file, 'utf8')) as Written);
  }

  /** Removes a lab and all that it left on this machine, also one that was half made. Idempotent. */
  static async remove(name: string): Promise<void> {
    const group = groupOf(name);
    await group.kill();
    await group.remove();
    groupOf().removeIfEmpty();
    const hosts = join(folderOf(name), 'hosts');
    const written = existsSync(hosts) ? readdirSync(hosts) : [];
    for (const host of written) {
      const root = join(hosts, host, 'root');
      if (!existsSync(root)) continue;
      rmSync(lockOf(root), { force: true });
      await unmount(root);
    }
    await networkOf(name).remove();
    rmSync(folderOf(name), { recursive: true, force: true });
    for (const left of propagated()) rmSync(left, { recursive: true, force: true });
  }

  /** What is there of a lab on this machine, a thing a line; nothing once it was removed. */
  static remains(name: string): Promise<string[]> {
    const [folder, group, network] = [folderOf(name), groupOf(name), networkOf(name)];
    return remainsIn({ folder, group, network, propagated: propagated() });
  }

  host(name: string): LabHost {
    const found = this.hosts.find((host) => host.name === name);
    if (!found) throw new Error(`the lab has no host ${name}`);
    return found;
  }

  down(): Promise<void> {
    return Lab.remove(this.name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }

  async #create(): Promise<void> {
    const programs = join(this.folder, 'programs');
    copyPrograms(programs);
    if (this.hasPlatform) cpSync(npmFolder(), join(programs, NPM_ON_HOST), { recursive: true });
    await this.#network.create();
    for (const host of this.hosts) {
      for (const part of [host.name, 'chain']) {
        mkdirSync(this.observer(part), { recursive: true });
        chmodSync(this.observer(part), 0o777);
      }
      mkdirSync(join(this.observer(host.name), 'chain'), { recursive: true });
      await host.create(HOSTS);
    }
  }

  async #boot(say: (line: string) => void): Promise<void> {
    say(`booting ${this.hosts.map(({ name }) => name).join(', ')}`);
    await Promise.all(this.hosts.map((host) => host.powerOn()));
  }

  async #furnish(say: (line: string) => void): Promise<void> {
    say('installing the packages, NATS, and what each host is for');
    const keys = this.#keys();
    const coordinator = this.host(COORDINATOR_HOST);
    await installNats(coordinator, keys);
    await installPackage(coordinator, this.packages.signalbox);
    await settleCoordinator(coordinator, keys, HOSTS);
    // The chain is founded by its first node.
    await this.furnish(this.host('node-1'));
    await Promise.all(
      this.hosts.map(async (host) => {
        if (host.name !== 'node-1') await this.furnish(host);
        await installPackage(host, this.packages.agent);
        await this.#settle(host, keys);
      }),
    );
  }

  /** Gives a host's agent and coordinator the settings that they have in this lab, also after they were purged, and starts them. */
  async settle(host: LabHost): Promise<void> {
    if (host.name === COORDINATOR_HOST) await settleCoordinator(host, this.#keys(), HOSTS);
    await this.#settle(host, this.#keys());
  }

  async #settle(host: LabHost, keys: LabKeys): Promise<void> {
    if (this.#hasStore(host.plan)) host.put('/etc/signalbox/agent.env', AGENT_VARIABLES, 0o600);
    await settleAgent(host, keys);
  }

  #hasStore({ role }: HostPlan): boolean {
    return this.hasPlatform && role === 'backend';
  }

  #keys(): LabKeys {
    const file = join(this.folder, 'keys.json');
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(createKeys(HOSTS)), { mode: 0o600 });
    return JSON.parse(readFileSync(file, 'utf8')) as LabKeys;
  }

  /** What the observer keeps of a host, or of the chain. */
  observer(what: string): string {
    return join(this.folder, 'observer', what);
  }

  /** Makes a host what its role says, from the beginning: users, programs, data, units. */
  async furnish(host: LabHost): Promise<void> {
    const furnish = `${PROGRAMS_ON_HOST}/test/dist/lab/hosts/furnish.js`;
    await host.run([LAB_NODE, furnish, host.plan.role, host.name, planOf('node-1').address]);
    if (this.hasPlatform) await furnishPlatform(host);
  }
}

/** As an administrator does it who has the file. */
export async function installPackage(host: LabHost, file: string): Promise<void> {
  const there = `/var/tmp/${file.split('/').at(-1)}`;
  host.put(there, readFileSync(file));
  await host.run(['dpkg', '--install', there]);
  await host.run(['rm', there]);
}

/** The built stand-ins as they are now: a build that goes on beside the lab changes nothing on its hosts. */
function copyPrograms(folder: string): void {
  cpSync(join(standinFile('init'), '..', '..'), join(folder, 'test', 'dist', 'lab'), { recursive: true });
  cpSync(join(REPOSITORY, 'test', 'package.json'), join(folder, 'test', 'package.json'));
  cpSync(process.execPath, join(folder, 'bin', 'node'));
}

const MOTO_BIND = { from: MOTO_FOLDER, to: MOTO_ON_HOST, readOnly: true };
/** systemd-nspawn's word that a folder is in use, which it leaves behind when it is killed. */
function lockOf(root: string): string {
  const { dev, ino } = statSync(root);
  return `/run/systemd/nspawn/locks/inode-${dev}:${ino}`;
}

const propagated = () => HOSTS.map(({ name }) => join('/run/systemd/nspawn/propagate', name));
const folderOf = (name: string) => join(FOLDERS, `${PREFIX}-${name}`);
const networkOf = (name: string) => new LabNetwork(`${PREFIX}-${name}`);
const groupOf = (...path: string[]) => new ControlGroup(PREFIX, ...path);

async function unmount(target: string): Promise<void> {
  const { exitCode } = await ask(['mountpoint', '--quiet', target]);
  if (exitCode === 0) await must(['umount', target]);
}
