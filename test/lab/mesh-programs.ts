import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasEnded, type Janitor } from './janitor.ts';
import { type Launch, PROGRAMS, startDaemon, startProcess } from './programs.ts';

export interface MeshProgramsOptions {
  /** Their logs and sockets are in this folder. */
  readonly dir: string;
  readonly janitor: Janitor;
  /** By the daemon's name: a coordinator's, or its host's. */
  readonly launch?: ((daemon: string) => Launch) | undefined;
}

interface Daemon {
  readonly child: ChildProcess;
  readonly end: () => Promise<void>;
}

export const COORDINATOR = 'coordinator';

/** What a mesh consists of, by name: each an operating-system process of its own with a log, as on real machines. */
export class MeshPrograms {
  readonly janitor: Janitor;
  readonly #dir: string;
  readonly #launch: (daemon: string) => Launch;
  readonly #daemons = new Map<string, Daemon>();

  constructor({ dir, janitor, launch = () => ({}) }: MeshProgramsOptions) {
    this.#dir = dir;
    this.janitor = janitor;
    this.#launch = launch;
    mkdirSync(join(dir, 'log'), { recursive: true, mode: 0o700 });
  }

  get coordinatorPid(): number | undefined {
    return this.#daemons.get(COORDINATOR)?.child.pid;
  }

  /** @throws Error when no daemon of that name runs. */
  pidOf(name: string): number {
    const pid = this.#daemons.get(name)?.child.pid;
    if (pid === undefined) throw new Error(`no ${name} runs`);
    return pid;
  }

  killCoordinator(): Promise<void> {
    return this.kill(COORDINATOR);
  }

  /** SIGKILL, as an operating system that runs out of memory does it. Resolves when the process is gone. */
  async kill(name: string): Promise<void> {
    const daemon = this.#daemons.get(name);
    if (!daemon) throw new Error(`no ${name} runs`);
    const gone = once(daemon.child, 'exit');
    daemon.child.kill('SIGKILL');
    await gone;
    await this.stop(name);
  }

  /** As a service manager stops it. */
  async stop(name: string): Promise<void> {
    await this.#daemons.get(name)?.end();
    this.#daemons.delete(name);
  }

  /** The exit code of a daemon that ends by itself; null when a signal ended it. */
  async endOf(name: string): Promise<number | null> {
    const { child } = this.#daemons.get(name) ?? {};
    if (!child) throw new Error(`no ${name} runs`);
    if (!hasEnded(child)) await once(child, 'exit');
    return child.exitCode;
  }

  logFile(name: string): string {
    return join(this.#dir, 'log', `${name}.log`);
  }

  /** What a daemon has said since it was first started. */
  readonly logOf = (name: string): string => {
    const file = this.logFile(name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  /** What brings messages to the agent of a host that has a messenger. */
  startMessenger(host: string): void {
    this.#daemon(`${host}-messenger`, PROGRAMS.messenger, [this.socketOf(host)]);
  }

  /** Where messengers come to the runner of that host. */
  socketOf(host: string): string {
    return join(this.#dir, `${host}.sock`);
  }

  protected coordinator(name: string, file: string): void {
    this.#daemon(name, PROGRAMS.signalbox, [COORDINATOR, '--config', file]);
  }

  /** @param apart another process speaks to the network. */
  protected agent(host: string, file: string, apart: boolean): ChildProcess {
    return this.#daemon(host, PROGRAMS.agent, ['--config', file], apart ? { socket: this.socketOf(host) } : {});
  }

  /** A program that is none of ours. */
  protected program(name: string, argv: readonly string[]): ChildProcess {
    return this.#adopt(name, startProcess(argv, { logFile: this.logFile(name) }));
  }

  #daemon(name: string, program: string, args: readonly string[], more: { socket?: string } = {}) {
    const options = { logFile: this.logFile(name), launch: this.#launch(name), ...more };
    return this.#adopt(name, startDaemon(program, args, options));
  }

  #adopt(name: string, child: ChildProcess): ChildProcess {
    this.#daemons.set(name, { child, end: this.janitor.adopt(name, child) });
    return child;
  }
}
