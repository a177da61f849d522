import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServerBinary } from '@signalbox/bus';
import { freePorts, until } from '@signalbox/protocol/testing';
import { type Said, sayTo } from './child.ts';
import { hasEnded, Janitor } from './janitor.ts';
import { COORDINATOR, MeshPrograms } from './mesh-programs.ts';
import { PROGRAMS } from './programs.ts';

const HEARD = 'a coordinator hears this host';
const READY = 'coordinator ready';

export interface InitMeshOptions {
  readonly name: string;
  /** Its first operator, an admin. */
  readonly operator: string;
  /** Everything that the mesh and its hosts write is in this folder. */
  readonly root: string;
  readonly janitor: Janitor;
}

export interface Agent {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
  /** By a coordinator, since this start of it. */
  readonly isHeard: () => boolean;
}

/** A mesh as its first administrator makes it: `init`, a real nats-server with TLS, a coordinator, hosts that join. */
export class InitMesh extends MeshPrograms {
  readonly root: string;
  /** What `init` made. */
  readonly dir: string;
  readonly settings: string;
  readonly coordinatorFile: string;
  port = 0;
  readonly #options: InitMeshOptions;

  constructor(options: InitMeshOptions = ofATest()) {
    const { name, root, janitor } = options;
    super({ dir: root, janitor });
    this.#options = options;
    this.root = root;
    this.dir = join(root, name);
    this.settings = join(this.dir, 'operator', 'signalbox.yaml');
    this.coordinatorFile = join(this.dir, 'coordinator', 'coordinator.yaml');
  }

  /** Resolves when its coordinator is ready. @returns what `init` said. */
  async start(): Promise<Said> {
    [this.port = 0] = await freePorts(1);
    const { name, operator, janitor } = this.#options;
    const args = ['init', '--name', name, '--dir', this.dir, '--server', '127.0.0.1', '--port', `${this.port}`];
    const made = await sayTo([PROGRAMS.signalbox, ...args, '--operator', operator], { janitor });
    if (made.exitCode !== 0) throw new Error(made.stderr);
    const { path } = await findServerBinary();
    this.program('nats', [path, '-c', join(this.dir, 'nats', 'nats-server.json')]);
    await this.#untilReady();
    return made;
  }

  end(): Promise<void> {
    return this.janitor.sweep();
  }

  startCoordinator(): void {
    this.coordinator(COORDINATOR, this.coordinatorFile);
  }

  async restartCoordinator(): Promise<void> {
    await this.stop(COORDINATOR);
    await this.#untilReady();
  }

  readonly signalbox = (...args: string[]): Promise<Said> =>
    sayTo([PROGRAMS.signalbox, '--config', this.settings, ...args], { janitor: this.janitor });

  /** @returns a token for that host. */
  readonly enroll = async (host: string, ...more: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await this.signalbox('enroll', host, '--labels', 'role=box', ...more);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  readonly etc = (name: string): string => join(this.root, name, 'etc');

  /** As on a host of its own. The token goes in by standard input: no other user of that host sees it. */
  readonly joinAs = (folder: string, token: string, more: string[] = ['--no-policy']): Promise<Said> => {
    const args = ['join', '--token', '-', '--dir', this.etc(folder), '--state', join(this.root, folder, 'state')];
    return sayTo([PROGRAMS.agent, ...args, ...more], { input: token, janitor: this.janitor });
  };

  /** With a messenger, where that is asked for: it is then the one that speaks to the network. */
  readonly startAgent = (folder: string, { messenger = false } = {}): Agent => {
    const before = this.#times(folder, HEARD);
    const child = this.agent(folder, join(this.etc(folder), 'agent.yaml'), messenger);
    if (messenger) this.startMessenger(folder);
    return {
      child,
      stop: () => this.stop(folder),
      log: () => this.logOf(folder),
      isHeard: () => this.#times(folder, HEARD) > before,
    };
  };

  /** @throws Error with what the agent said last, when it has ended instead. */
  readonly heard = ({ child, log, isHeard }: Agent): Promise<unknown> =>
    until('the agent to be heard', () => {
      if (hasEnded(child)) throw new Error(`an agent has ended: ${log().trimEnd().split('\n').slice(-2).join(' ')}`);
      return isHeard();
    });

  readonly stateOf = async (host: string): Promise<string | undefined> => {
    const { stdout } = await this.signalbox('hosts');
    const line = stdout.split('\n').find((each) => each.startsWith(`${host} `));
    return line?.split(/\s+/)[1];
  };

  /** A log is read, not a program asked: there are enough processes in such a mesh. */
  async #untilReady(): Promise<void> {
    const before = this.#times(COORDINATOR, READY);
    this.startCoordinator();
    await until('the coordinator to be ready', () => this.#times(COORDINATOR, READY) > before);
  }

  /** A log goes on over a restart. */
  #times(log: string, said: string): number {
    return this.logOf(log).split(said).length - 1;
  }
}

/** A mesh in a temporary folder, which goes with it. */
function ofATest(): InitMeshOptions {
  const janitor = new Janitor();
  const root = mkdtempSync(join(tmpdir(), 'sb-init-'));
  janitor.add('folder', async () => rmSync(root, { recursive: true, force: true }));
  return { name: 'prod', operator: 'ayse', root, janitor };
}
