import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { REPOSITORY } from '../programs.ts';
import type { ControlGroup } from './cgroup.ts';
import { type Answer, ask, must } from './machine-program.ts';
import type { LabNetwork } from './network.ts';
import { type HostPlan, PREFIX_LENGTH } from './plan.ts';

export type Argv = readonly [string, ...string[]];

export interface LabHostOptions {
  plan: HostPlan;
  /** Folder of this host in the lab's. */
  folder: string;
  /** The read-only system that it is made from. */
  image: string;
  network: LabNetwork;
  group: ControlGroup;
  /** It may make containers itself, with what the kernel has for that. */
  holdsContainers: boolean;
  /** Folders of the observer by where the host sees them; `readOnly` ones it cannot change. */
  binds: readonly { from: string; to: string; readOnly?: boolean }[];
}

/** What everything that is typed on a host has: an administrator's environment. */
export const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};
const BOOT_MS = 60_000;

/** A host with a kernel of the machine's and everything else of its own: init, units, users, network, disk. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  readonly plan: HostPlan;
  readonly #options: LabHostOptions;

  constructor(options: LabHostOptions) {
    this.name = options.plan.name;
    this.address = options.plan.address;
    this.plan = options.plan;
    this.#options = options;
  }

  /** The host's file system as the machine sees it; there as long as the lab is. */
  get root(): string {
    return join(this.#options.folder, 'root');
  }

  /** The files in which the host differs from its image. */
  get layer(): string {
    return join(this.#options.folder, 'upper');
  }

  get consoleLog(): string {
    return join(this.#options.folder, 'console.log');
  }

  /** The process that is the host's PID 1; undefined while it is off. */
  get leader(): number | undefined {
    return this.#options.group.pids('payload', 'init.scope')[0];
  }

  /** Gives the host its disk and its identity. Nothing runs yet. */
  async create(hosts: readonly HostPlan[]): Promise<void> {
    const { folder, image } = this.#options;
    for (const part of ['upper', 'work', 'root']) mkdirSync(join(folder, part), { recursive: true });
    const layers = `lowerdir=${image},upperdir=${join(folder, 'upper')},workdir=${join(folder, 'work')}`;
    await must(['mount', '-t', 'overlay', 'overlay', '-o', layers, this.root]);
    this.put('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
    this.put('/etc/hostname', `${this.name}\n`);
    const names = hosts.map(({ address, name }) => `${address} ${name}\n`).join('');
    this.put('/etc/hosts', `127.0.0.1 localhost\n${names}`);
    this.put(
      '/etc/systemd/network/10-lab.network',
      // A host that is cut off keeps its address, as one with a fixed address does.
      `[Match]\nName=host0\n\n[Network]\nAddress=${this.address}/${PREFIX_LENGTH}\nConfigureWithoutCarrier=yes\nIgnoreCarrierLoss=yes\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`,
    );
    const wants = join(this.root, 'etc/systemd/system/multi-user.target.wants');
    mkdirSync(wants, { recursive: true });
    symlinkSync('/lib/systemd/system/systemd-networkd.service', join(wants, 'systemd-networkd.service'));
    // Debian starts an engine wherever it is installed; here it is for who asks for it.
    for (const unit of ['docker', 'containerd']) rmSync(join(wants, `${unit}.service`), { force: true });
    rmSync(join(wants, '..', 'sockets.target.wants', 'docker.socket'), { force: true });
  }

  /** Switches it on. Resolves when its init has started everything that is enabled, or at once. */
  async powerOn({ wait = true }: { wait?: boolean } = {}): Promise<void> {
    const { network, group, binds, holdsContainers } = this.#options;
    group.make();
    const nspawn = [
      'systemd-nspawn',
      '--quiet',
      '--boot',
      // No machine manager, no unit: the control group that it was started in is its own.
      '--register=no',
      '--keep-unit',
      '--settings=no',
      '--link-journal=no',
      '--resolv-conf=off',
      '--timezone=off',
      '--console=pipe',
      `--machine=${this.name}`,
      `--hostname=${this.name}`,
      `--directory=${this.root}`,
      `--network-bridge=${network.bridge}`,
      ...(holdsContainers ? ['--capability=all', '--system-call-filter=add_key keyctl bpf'] : []),
      ...binds.map(({ from, to, readOnly }) => `--bind${readOnly ? '-ro' : ''}=${from}:${to}`),
    ];
    const [file, ...args] = network.inside(['sh', IN_GROUP, ...group.folders, '--', ...nspawn]);
    const log = openSync(this.consoleLog, 'a');
    try {
      // A session of its own: it outlives the command that brought the lab up.
      spawn(file, args, { detached: true, stdio: ['ignore', log, log] }).unref();
    } finally {
      closeSync(log);
    }
    if (wait) await this.booted();
  }

  /** Resolves when it runs, with everything started that is enabled. @throws Error with the end of its console. */
  async booted(): Promise<void> {
    try {
      await until(
        `${this.name} to have booted`,
        async () => {
          if (this.leader === undefined) return false;
          // A host whose init stands still would never answer.
          const { stdout } = await this.exec(['timeout', '10', 'systemctl', 'is-system-running', '--wait']);
          return /^(running|degraded)$/.test(stdout.trim());
        },
        { timeoutMs: BOOT_MS },
      );
    } catch (cause) {
      const said = existsSync(this.consoleLog) ? readFileSync(this.consoleLog, 'utf8').slice(-2_000) : '';
      throw new Error(`${this.name} does not come up; its console ends with:\n${said}`, { cause });
    }
  }

  /** Cuts the power: no process of it gets a word in. What the disk's cache had is kept, as the machine's kernel keeps it. */
  async powerOff(): Promise<void> {
    await this.#options.group.kill();
    await this.#clear();
  }

  /** As its administrator reboots it. Resolves when it is up again, under another boot id. */
  async reboot(): Promise<void> {
    await this.exec(['systemctl', 'reboot']);
    // nspawn that was told to keep its unit ends here, and leaves the second half to whoever started it.
    await until(`${this.name} to go down`, () => this.#options.group.empty(), { timeoutMs: BOOT_MS });
    await this.#clear();
    await this.powerOn();
  }

  /** Pulls its network cable; it keeps its address, and its connections do not hear of it. */
  cut(): Promise<void> {
    return this.#options.network.setCable(this.name, 'down');
  }

  heal(): Promise<void> {
    return this.#options.network.setCable(this.name, 'up');
  }

  /** Runs a program as root. A non-zero exit is an answer. @throws Error when the host is off. */
  exec(argv: Argv, options: { input?: string } = {}): Promise<Answer> {
    return ask(this.enter(argv), { env: ENVIRONMENT, ...options });
  }

  /** argv of a program of this machine that runs one on the host. @throws Error when the host is off. */
  enter(argv: readonly string[]): [string, ...string[]] {
    const { leader } = this;
    if (leader === undefined) throw new Error(`${this.name} is off`);
    return ['nsenter', `--target=${leader}`, '--all', '--', ...argv];
  }

  /** The same, where anything but success is an error. @returns standard output. */
  async run(argv: Argv, options: { input?: string } = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(argv, options);
    if (exitCode === 0) return stdout;
    throw new Error(`${this.name}: \`${argv.join(' ')}\` ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
  }

  /** Some properties of a unit, as `systemctl show` prints them. */
  async unit(name: string, properties: readonly string[]): Promise<Record<string, string>> {
    const stdout = await this.run(['systemctl', 'show', `--property=${properties.join(',')}`, '--', name]);
    const pairs = stdout.split('\n').filter((line) => line.includes('='));
    return Object.fromEntries(
      pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  /** Writes a file as root. @throws Error when it is a link: that would be followed on the machine, out of the host. */
  put(path: string, content: string | Buffer, mode = 0o644): void {
    const file = join(this.root, path);
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Error(`${this.name}: ${path} is a link`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }

  /** @throws Error when there is no such file. */
  get(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  has(path: string): boolean {
    return statSync(join(this.root, path), { throwIfNoEntry: false }) !== undefined;
  }

  /** What the kernel would take away in its own time, and what the next start must not find. */
  async #clear(): Promise<void> {
    await this.#options.group.remove();
    await this.#options.network.removeCable(this.name);
  }
}

const IN_GROUP = join(REPOSITORY, 'test', 'lab', 'hosts', 'in-group.sh');
