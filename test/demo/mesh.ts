import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LocalMesh, startMesh } from '@signalbox/bus';
import { stringify } from 'yaml';
import type { Janitor } from '../lab/janitor.ts';
import { freePorts } from '../lab/ports.ts';
import type { DemoHosts } from './hosts.ts';
import { PROGRAMS, startDaemon } from './programs.ts';

export const MESH = 'demo';
const OPERATOR = 'operator';

/** NATS, one coordinator and an agent a host: each a process of its own, as on real machines. */
export class DemoMesh {
  readonly dir: string;
  /** What the CLI is given with `--config`. */
  readonly operatorFile: string;
  readonly httpPort: number;
  readonly #janitor: Janitor;
  readonly #coordinatorFile: string;
  #coordinator: { child: ChildProcess; end: () => Promise<void> } | undefined;

  static async start(dir: string, hosts: DemoHosts, janitor: Janitor): Promise<DemoMesh> {
    const nats = await startMesh({
      mesh: MESH,
      agents: hosts.all.map(({ name }) => name),
      operators: [OPERATOR],
      dir: join(dir, 'nats'),
    });
    janitor.add('nats-server', () => nats.stop());
    const [httpPort = 0] = await freePorts(1);
    const mesh = new DemoMesh({ dir, nats, hosts, janitor, httpPort });
    mesh.startCoordinator();
    mesh.#startAgents(nats, hosts);
    return mesh;
  }

  private constructor({
    dir,
    nats,
    hosts,
    janitor,
    httpPort,
  }: {
    dir: string;
    nats: LocalMesh;
    hosts: DemoHosts;
    janitor: Janitor;
    httpPort: number;
  }) {
    this.dir = dir;
    this.#janitor = janitor;
    this.httpPort = httpPort;
    for (const folder of ['etc', 'log', 'state']) mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
    const common = { mesh: MESH, servers: [nats.url] };
    this.#coordinatorFile = this.#write('coordinator.yaml', {
      ...common,
      name: 'coordinator-1',
      seedFile: this.#writeSeed('coordinator', nats.keys.coordinator.seed),
      hosts: Object.fromEntries(
        hosts.all.map(({ name, labels }) => [name, { key: nats.agentKey(name).publicKey, labels }]),
      ),
      operators: { [OPERATOR]: { key: nats.operatorKey(OPERATOR).publicKey, role: 'operator' } },
      http: { host: '127.0.0.1', port: httpPort },
    });
    this.operatorFile = this.#write('operator.yaml', {
      ...common,
      operator: OPERATOR,
      coordinators: [nats.keys.coordinator.publicKey],
      seedFile: this.#writeSeed(OPERATOR, nats.operatorKey(OPERATOR).seed),
    });
  }

  get coordinatorPid(): number | undefined {
    return this.#coordinator?.child.pid;
  }

  startCoordinator(): void {
    const args = ['coordinator', '--config', this.#coordinatorFile];
    const child = startDaemon(PROGRAMS.signalbox, args, this.logFile('coordinator'));
    this.#coordinator = { child, end: this.#janitor.adopt('coordinator', child) };
  }

  /** SIGKILL, as an operating system that runs out of memory does it. Resolves when the process is gone. */
  async killCoordinator(): Promise<void> {
    const { child, end } = this.#coordinator ?? {};
    if (!child || !end) throw new Error('no coordinator runs');
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await end();
    this.#coordinator = undefined;
  }

  logFile(name: string): string {
    return join(this.dir, 'log', `${name}.log`);
  }

  #startAgents(nats: LocalMesh, { all }: DemoHosts): void {
    for (const { name, labels, path } of all) {
      const file = this.#write(`agent-${name}.yaml`, {
        mesh: MESH,
        name,
        servers: [nats.url],
        seedFile: this.#writeSeed(name, nats.agentKey(name).seed),
        stateDir: join(this.dir, 'state', name),
        labels,
        trust: { coordinators: [nats.keys.coordinator.publicKey] },
        path,
      });
      this.#janitor.adopt(`agent of ${name}`, startDaemon(PROGRAMS.agent, ['--config', file], this.logFile(name)));
    }
  }

  #write(name: string, content: object): string {
    const path = join(this.dir, 'etc', name);
    writeFileSync(path, stringify(content), { mode: 0o600 });
    return path;
  }

  #writeSeed(name: string, seed: string): string {
    const path = join(this.dir, 'etc', `${name}.seed`);
    writeFileSync(path, `${seed}\n`, { mode: 0o600 });
    return path;
  }
}
