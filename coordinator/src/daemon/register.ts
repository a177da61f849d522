import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fleetAccounts, type MeshUser } from '@signalbox/bus';
import { HostName, type JsonObject, MeshName } from '@signalbox/protocol';
import { isPublicKey, type Signer } from '@signalbox/protocol/crypto';
import { besideFile, loadSeed, loadSettings } from '@signalbox/settings';
import { z } from 'zod';
import { coordinatorError } from './codes.ts';
import type { CoordinatorConfig } from './config.ts';
import { keysOf } from './hosts.ts';
import { parseJson } from './parse-json.ts';

const PublicKey = z.string().refine(isPublicKey, 'not a public nkey (U...)');
const ServerConfig = z.record(z.string(), z.json());
const Labels = z.record(z.string(), z.string());

/** The register file. Public keys only: whoever reads it learns who is there, and can do nothing with it. */
export type RegisterFile = z.infer<typeof RegisterFile>;
export const RegisterFile = z.strictObject({
  version: z.literal(1),
  mesh: MeshName,
  hosts: z.record(
    HostName,
    z.strictObject({
      key: PublicKey,
      /** The one before, until it is withdrawn. */
      former: PublicKey.optional(),
      labels: Labels,
      joinedAtMs: z.int(),
      by: z.string(),
    }),
  ),
  /** Open tokens, by their key. */
  tokens: z.record(PublicKey, z.strictObject({ host: HostName, labels: Labels, expiresAtMs: z.int(), by: z.string() })),
});

/** Who has joined and who may, on disk; and the server's configuration that follows from it. */
export class Register {
  readonly #path: string;
  readonly #natsConfig: string;
  readonly #users: { core: MeshUser[]; operators: MeshUser[]; monitors: MeshUser[]; fixed: MeshUser[] };
  readonly #mesh: string;
  readonly systemSeed: string;
  readonly #systemKey: string;
  #content: RegisterFile;

  /** @throws SB-CFG-* when a file of it cannot be read. */
  static open(settings: string, config: CoordinatorConfig, signer: Signer): Register {
    return new Register(settings, config, signer);
  }

  private constructor(settings: string, config: CoordinatorConfig, signer: Signer) {
    const { mesh, enrolment, operators, hosts } = config;
    if (enrolment === undefined) throw new Error('settings without enrolment');
    this.#mesh = mesh;
    this.#path = besideFile(settings, enrolment.register);
    this.#natsConfig = besideFile(settings, enrolment.natsConfig);
    const system = loadSeed(besideFile(settings, enrolment.systemSeedFile));
    [this.systemSeed, this.#systemKey] = [system.seed, system.publicKey];
    this.#users = {
      core: named({ coordinator: { key: signer.publicKey, former: signer.former?.publicKey } }),
      operators: named(operators),
      monitors: Object.entries(enrolment.monitors).map(([name, key]) => ({ name, publicKey: key })),
      fixed: named(hosts),
    };
    this.#content = existsSync(this.#path)
      ? loadSettings(this.#path, RegisterFile)
      : { version: 1, mesh, hosts: {}, tokens: {} };
    if (this.#content.mesh !== mesh) {
      throw coordinatorError(
        'SB-COORD-MESH',
        `${this.#path} is the register of mesh ${this.#content.mesh}, not ${mesh}`,
      );
    }
  }

  get hosts(): RegisterFile['hosts'] {
    return this.#content.hosts;
  }

  get tokens(): RegisterFile['tokens'] {
    return this.#content.tokens;
  }

  isFixed(host: string): boolean {
    return this.#users.fixed.some(({ name }) => name === host);
  }

  /** On disk when it returns; the server's configuration first, so that nobody is in the register whom it does not know. */
  write(change: Partial<Pick<RegisterFile, 'hosts' | 'tokens'>>): void {
    const next = { ...this.#content, ...change };
    this.#writeAccounts(next);
    replaceFile(this.#path, `${JSON.stringify(next, null, 2)}\n`);
    this.#content = next;
  }

  /** Only what follows from the register is changed: the rest of the file is its administrator's. */
  #writeAccounts({ hosts, tokens }: RegisterFile): void {
    const config = ServerConfig.safeParse(parseJson(readFileSync(this.#natsConfig)));
    if (!config.success) throw coordinatorError('SB-ENROL-SERVER', `${this.#natsConfig} is no JSON object`);
    const { core, operators, monitors, fixed } = this.#users;
    const joins = Object.keys(tokens).map((key) => ({ name: key, publicKey: key }));
    const users = { core, operators, monitors, agents: [...fixed, ...named(hosts)], joins };
    const accounts: JsonObject = fleetAccounts(this.#mesh, users, this.#systemKey);
    replaceFile(this.#natsConfig, `${JSON.stringify({ ...config.data, accounts }, null, 2)}\n`);
  }
}

/** A user for each key that somebody has at the moment. */
function named(keys: Readonly<Record<string, { key: string; former?: string | undefined }>>): MeshUser[] {
  return Object.entries(keys).flatMap(([name, own]) => keysOf(own).map((publicKey) => ({ name, publicKey })));
}

/** Whoever reads it, reads the old or the new one; after a power cut the new one. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
