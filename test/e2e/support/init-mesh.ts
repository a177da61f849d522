import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServerBinary } from '@signalbox/bus';
import { freePorts, until } from '@signalbox/protocol/testing';
import { Janitor } from '../../lab/janitor.ts';
import { PROGRAMS, startDaemon, withSocket } from '../../lab/programs.ts';
import { type Said, sayTo } from './child.ts';

const HEARD = 'a coordinator hears this host';
const READY = 'coordinator ready';

export interface Agent {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
  /** By a coordinator, since this start of it. */
  readonly isHeard: () => boolean;
}

/** A mesh as its first administrator makes it: `init`, a real nats-server with TLS, a coordinator, hosts that join. */
export class InitMesh {
  readonly janitor = new Janitor();
  readonly root = mkdtempSync(join(tmpdir(), 'sb-init-'));
  /** What `init` made. */
  readonly dir = join(this.root, 'prod');
  readonly settings = join(this.dir, 'operator', 'signalbox.yaml');
  readonly coordinatorFile = join(this.dir, 'coordinator', 'coordinator.yaml');
  port = 0;
  #stopCoordinator: () => Promise<void> = async () => {};

  constructor() {
    this.janitor.add('folder', async () => rmSync(this.root, { recursive: true, force: true }));
  }

  /** @returns what `init` said. */
  async start(): Promise<Said> {
    [this.port = 0] = await freePorts(1);
    const args = ['init', '--name', 'prod', '--dir', this.dir, '--server', '127.0.0.1', '--port', `${this.port}`];
    const made = await sayTo([PROGRAMS.signalbox, ...args, '--operator', 'ayse']);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    const log = openSync(join(this.root, 'nats.log'), 'a');
    const { path } = await findServerBinary();
    const server = spawn(path, ['-c', join(this.dir, 'nats', 'nats-server.json')], { stdio: ['ignore', log, log] });
    this.janitor.adopt('nats-server', server);
    await this.#startCoordinator();
    return made;
  }

  end(): Promise<void> {
    return this.janitor.sweep();
  }

  async restartCoordinator(): Promise<void> {
    await this.#stopCoordinator();
    await this.#startCoordinator();
  }

  readonly logOf = (name: string): string => readFileSync(join(this.root, `${name}.log`), 'utf8');

  readonly signalbox = (...args: string[]): Promise<Said> =>
    sayTo([PROGRAMS.signalbox, '--config', this.settings, ...args]);

  readonly enroll = async (host: string, ...more: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await this.signalbox('enroll', host, '--labels', 'role=box', ...more);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  readonly etc = (name: string): string => join(this.root, name, 'etc');

  /** As on a host of its own. The token goes in by standard input: no other user of that host sees it. */
  readonly joinAs = (folder: string, token: string, more: string[] = ['--no-policy']): Promise<Said> => {
    const args = ['join', '--token', '-', '--dir', this.etc(folder), '--state', join(this.root, folder, 'state')];
    return sayTo([PROGRAMS.agent, ...args, ...more], { input: token });
  };

  /** With a messenger, where that is asked for: it is then the one that speaks to the network. */
  readonly startAgent = (folder: string, { messenger = false } = {}): Agent => {
    const socket = join(this.root, `${folder}.sock`);
    const launch = messenger ? withSocket(socket) : {};
    const logFile = join(this.root, `${folder}.log`);
    const before = this.#times(folder, HEARD);
    const child = startDaemon(PROGRAMS.agent, ['--config', join(this.etc(folder), 'agent.yaml')], { logFile, launch });
    const stop = this.janitor.adopt(folder, child);
    if (messenger) {
      const own = { logFile: join(this.root, `${folder}-messenger.log`) };
      this.janitor.adopt(`messenger of ${folder}`, startDaemon(PROGRAMS.messenger, [socket], own));
    }
    return { child, stop, log: () => this.logOf(folder), isHeard: () => this.#times(folder, HEARD) > before };
  };

  readonly heard = ({ isHeard }: Agent): Promise<unknown> => until('the agent to be heard', isHeard);

  readonly stateOf = async (host: string): Promise<string | undefined> => {
    const { stdout } = await this.signalbox('hosts');
    const line = stdout.split('\n').find((each) => each.startsWith(`${host} `));
    return line?.split(/\s+/)[1];
  };

  /** A log is read, not a program asked: there are enough processes in such a test. */
  async #startCoordinator(): Promise<void> {
    const logFile = join(this.root, 'coordinator.log');
    const before = this.#times('coordinator', READY);
    const child = startDaemon(PROGRAMS.signalbox, ['coordinator', '--config', this.coordinatorFile], { logFile });
    this.#stopCoordinator = this.janitor.adopt('coordinator', child);
    await until('the coordinator to be ready', () => this.#times('coordinator', READY) > before);
  }

  /** A log goes on over a restart. */
  #times(log: string, said: string): number {
    return existsSync(join(this.root, `${log}.log`)) ? this.logOf(log).split(said).length - 1 : 0;
  }
}

export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
