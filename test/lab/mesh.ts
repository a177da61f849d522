import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedServerOptions, type LocalMesh, type LocalMeshOptions, startMesh } from '@signalbox/bus';
import { createKeyPair, writeCertificate } from '@signalbox/protocol/crypto';
import { stringify } from 'yaml';
import type { Janitor } from './janitor.ts';
import { COORDINATOR, MeshPrograms, type MeshProgramsOptions } from './mesh-programs.ts';

/** A host of the mesh, for which an agent is started. */
export interface MeshHost {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** PATH of what its agent starts; left out: the agent's own default. */
  readonly path?: string;
  /** Path of its owner's policy.yaml; left out: everything is allowed. */
  readonly policy?: string;
  /** Where its agent finds NATS; left out: on loopback. */
  readonly servers?: readonly string[];
  /** What speaks to the network is a process of its own, as in the package. */
  readonly messenger?: boolean;
}

export type OperatorRole = 'viewer' | 'operator' | 'approver' | 'admin';

export interface ProcessMeshOptions {
  readonly name: string;
  /** Everything that the mesh writes is in this folder. */
  readonly dir: string;
  readonly hosts: readonly MeshHost[];
  /** Further hosts that are enrolled and have no agent. */
  readonly enrolled?: readonly string[];
  /** By name; default one `operator`. */
  readonly operators?: Readonly<Record<string, OperatorRole>>;
  /** Further keys of coordinator.yaml. */
  readonly coordinator?: object;
  /** Bound of JetStream's files. */
  readonly maxStorageBytes?: number;
  readonly launch?: MeshProgramsOptions['launch'];
  /** A NATS that somebody else has set up: who is known there, and how. */
  readonly nats?: Pick<LocalMeshOptions, 'keys'> & Pick<EmbeddedServerOptions, 'adapt'>;
  /** Puts something between everybody and NATS. @returns where they find it then. */
  readonly before?: (url: string) => Promise<string>;
  /** The JWT of whom that NATS knows by one, by their public key. */
  readonly jwtOf?: (publicKey: string) => string | undefined;
}

interface Reached {
  readonly nats: LocalMesh;
  readonly url: string;
}

/** NATS, a coordinator or more, and an agent a host: each an operating-system process of its own, as on real machines. */
export class ProcessMesh extends MeshPrograms {
  readonly name: string;
  readonly dir: string;
  readonly nats: LocalMesh;
  readonly hosts: readonly MeshHost[];
  /** Who vouches for its operators. */
  readonly authority = createKeyPair('account');
  readonly #coordinator: object;
  readonly jwtOf: (publicKey: string) => string | undefined;
  /** Where everybody finds NATS. */
  readonly #url: string;

  /** Resolves when NATS takes connections; the daemons are then being started and connect by themselves. */
  static async start(options: ProcessMeshOptions, janitor: Janitor): Promise<ProcessMesh> {
    const { name, dir, hosts, enrolled = [], operators = { operator: 'operator' }, maxStorageBytes } = options;
    const nats = await startMesh({
      mesh: name,
      agents: [...hosts.map((host) => host.name), ...enrolled],
      operators: Object.keys(operators),
      dir: join(dir, 'nats'),
      ...(maxStorageBytes === undefined ? {} : { maxStorageBytes }),
      ...options.nats,
    });
    janitor.add('nats-server', () => nats.stop());
    const url = (await options.before?.(nats.url)) ?? nats.url;
    const mesh = new ProcessMesh({ ...options, operators }, { nats, url }, janitor);
    mesh.startCoordinator();
    for (const { name, messenger } of hosts) {
      mesh.startAgent(name);
      if (messenger) mesh.startMessenger(name);
    }
    return mesh;
  }

  private constructor(
    options: ProcessMeshOptions & Required<Pick<ProcessMeshOptions, 'operators'>>,
    { nats, url }: Reached,
    janitor: Janitor,
  ) {
    const { name, dir, hosts, launch } = options;
    super({ dir, janitor, launch });
    this.name = name;
    this.dir = dir;
    this.nats = nats;
    this.#url = url;
    this.hosts = hosts;
    this.jwtOf = options.jwtOf ?? (() => undefined);
    for (const folder of ['etc', 'state']) mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
    this.#coordinator = coordinatorSettings(options, { nats, url }, this.#credentials(COORDINATOR));
    this.write('coordinator.yaml', { ...this.#coordinator, name: 'coordinator-1' });
    for (const [operator, role] of Object.entries(options.operators)) {
      this.write(`${operator}.yaml`, {
        ...{ mesh: name, servers: [url], operator },
        coordinators: [nats.keys.coordinator.publicKey],
        ...this.#credentials(operator),
        certificateFile: this.#writeCertificate(operator, role),
      });
    }
    for (const host of hosts) this.write(`agent-${host.name}.yaml`, this.agentSettings(host));
  }

  /** What the CLI is given with `--config`. */
  operatorFile(operator = 'operator'): string {
    return this.etc(`${operator}.yaml`);
  }

  /** agent.yaml of a host, to be varied. */
  agentSettings({ name, labels, path, policy, servers = [this.#url] }: MeshHost) {
    return {
      mesh: this.name,
      name,
      servers,
      ...this.#credentials(name),
      stateDir: join(this.dir, 'state', name),
      trust: { coordinators: [this.nats.keys.coordinator.publicKey], authority: this.authority.publicKey },
      ...(labels === undefined ? {} : { labels }),
      ...(path === undefined ? {} : { path }),
      ...(policy === undefined ? {} : { policy }),
    };
  }

  startCoordinator(): void {
    this.coordinator(COORDINATOR, this.etc('coordinator.yaml'));
  }

  /** One more coordinator, with a name of its own and the key of the first. */
  addCoordinator(name: string): void {
    this.coordinator(name, this.write(`${name}.yaml`, { ...this.#coordinator, name }));
  }

  startAgent(host: string): void {
    const apart = this.hosts.find(({ name }) => name === host)?.messenger === true;
    this.agent(host, this.etc(`agent-${host}.yaml`), apart);
  }

  /** A file among the settings. */
  etc(name: string): string {
    return join(this.dir, 'etc', name);
  }

  /** @returns the path. */
  write(name: string, settings: object): string {
    writeFileSync(this.etc(name), stringify(settings), { mode: 0o600 });
    return this.etc(name);
  }

  /** What the authority says of an operator. @returns the path. */
  #writeCertificate(name: string, role: OperatorRole): string {
    const key = this.nats.operatorKey(name).publicKey;
    const issuedAtMs = Date.now();
    const said = { mesh: this.name, name, key, role, issuedAtMs, expiresAtMs: issuedAtMs + 24 * 3_600_000 };
    const path = this.etc(`${name}.cert`);
    writeFileSync(path, writeCertificate(said, this.authority));
    return path;
  }

  /** What whoever has that name (the coordinator, an operator or a host) is known to NATS by, as files. */
  #credentials(name: string): { seedFile: string; jwtFile?: string } {
    const { coordinator, operators, agents } = this.nats.keys;
    const key = name === COORDINATOR ? coordinator : (operators[name] ?? agents[name]);
    if (!key) throw new Error(`nobody called ${name} is enrolled`);
    const seedFile = this.etc(`${name}.seed`);
    writeFileSync(seedFile, `${key.seed}\n`, { mode: 0o600 });
    const jwt = this.jwtOf(key.publicKey);
    if (jwt === undefined) return { seedFile };
    const jwtFile = this.etc(`${name}.jwt`);
    writeFileSync(jwtFile, `${jwt}\n`);
    return { seedFile, jwtFile };
  }
}

function coordinatorSettings(
  { name, hosts, enrolled = [], operators = {}, coordinator = {} }: ProcessMeshOptions,
  { nats, url }: Reached,
  credentials: object,
) {
  return {
    ...{ mesh: name, servers: [url], ...credentials },
    hosts: Object.fromEntries(
      [...hosts, ...enrolled.map((host): MeshHost => ({ name: host }))].map((host) => [
        host.name,
        { key: nats.agentKey(host.name).publicKey, labels: { ...host.labels } },
      ]),
    ),
    operators: Object.fromEntries(
      Object.entries(operators).map(([operator, role]) => [
        operator,
        { key: nats.operatorKey(operator).publicKey, role },
      ]),
    ),
    ...coordinator,
  };
}
