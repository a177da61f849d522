import { type BusOptions, reloadServer, serveJoins, type Unsubscribe } from '@signalbox/bus';
import { type JoinReply, JoinRequest } from '@signalbox/protocol';
import { isPublicKey, open, seal } from '@signalbox/protocol/crypto';
import { failureOf } from './access.ts';
import type { Audit } from './audit.ts';
import { coordinatorError } from './codes.ts';
import type { Hosts } from './hosts.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import type { Register, RegisterFile } from './register.ts';

/** The longest that a token may be open. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/** Where hosts come in and go out. */
export interface Doors {
  readonly register: Register;
  /** How NATS is reached. */
  readonly reach: BusOptions;
}

export interface EnrolmentOptions extends Doors {
  readonly ports: Ports;
  readonly hosts: Hosts;
  readonly queries: HostQueries;
  /** Who came in, and who did not. */
  readonly audit: Audit;
  /** Runs that go on and that were planned for a host with this key. */
  readonly plannedWith: (key: string) => Promise<readonly string[]>;
}

export interface Invitation {
  readonly host: string;
  readonly labels: Record<string, string>;
  readonly tokenKey: string;
  readonly expiresAtMs: number;
  readonly by: string;
}

interface Keys {
  readonly key: string;
  readonly former?: string | undefined;
}

/**
 * Lets hosts in, each with a token that works once, for its name, until it expires; and puts them out. What it answers is on
 * disk and known to the NATS server. One thing at a time: two changes of one file must not overtake each other.
 */
export class Enrolment {
  readonly #doors: EnrolmentOptions;
  /** Who asks with which token, until its answer is out: it would be cut off before it has that. One may ask twice. */
  readonly #asking = new Set<{ readonly tokenKey: string }>();
  #last: Promise<unknown> = Promise.resolve();
  #stop: Unsubscribe = async () => {};

  constructor(doors: EnrolmentOptions) {
    this.#doors = doors;
  }

  /** The server is given what the register and the settings say now: either may have changed while nobody ran. */
  async open(): Promise<void> {
    await this.#inTurn(() => this.#change({}));
    this.#stop = await serveJoins(this.#doors.reach, (tokenKey, data) => this.#join(tokenKey, data));
  }

  async close(): Promise<void> {
    await this.#stop();
  }

  /** @throws SB-ENROL-HOST, SB-ENROL-TOKEN, SB-ENROL-SERVER */
  invite({ tokenKey, host, labels, expiresAtMs, by }: Invitation): Promise<Record<string, never>> {
    return this.#inTurn(async () => {
      const { register, ports, hosts } = this.#doors;
      const leftMs = expiresAtMs - ports.clock.wallMs();
      if (!isPublicKey(tokenKey)) throw coordinatorError('SB-ENROL-TOKEN', 'the key of the token is no public nkey');
      if (leftMs <= 0 || leftMs > LONGEST_MS) {
        throw coordinatorError('SB-ENROL-TOKEN', 'a token is open for at least a moment and at most seven days');
      }
      if (hosts.get(host)) throw coordinatorError('SB-ENROL-HOST', `${host} is in the mesh already`);
      const others = Object.entries(register.tokens).filter(([, open]) => open.host !== host);
      const tokens = { ...Object.fromEntries(others), [tokenKey]: { host, labels, expiresAtMs, by } };
      await this.#change({ tokens });
      ports.log.info({ host, by, tokenKey, expiresAtMs }, 'token opened');
      return {};
    });
  }

  /** @throws SB-ENROL-HOST, SB-ENROL-SERVER */
  revoke(host: string, { by, note }: { by: string; note: string }): Promise<Record<string, never>> {
    return this.#inTurn(async () => {
      const { register, ports, hosts } = this.#doors;
      const { [host]: gone, ...left } = register.hosts;
      if (register.isFixed(host)) throw coordinatorError('SB-ENROL-HOST', `${host} stands in coordinator.yaml`);
      const tokens = Object.fromEntries(Object.entries(register.tokens).filter(([, open]) => open.host !== host));
      if (!gone && Object.keys(tokens).length === Object.keys(register.tokens).length) {
        throw coordinatorError('SB-ENROL-HOST', `${host} is not in the mesh and has no open token`);
      }
      // First it is not believed any more, then it is cut off: nothing that it says in between counts.
      hosts.remove(host);
      await this.#change({ hosts: left, tokens });
      ports.log.warn({ host, by, note, key: gone?.key }, 'host revoked');
      return {};
    });
  }

  /**
   * A host makes itself another key and uses it. Until the one before is withdrawn it signs with both and may connect with either, so that runs
   * which were planned with the old one go on. Said again, it goes on where it had come to.
   * @throws SB-ENROL-HOST, SB-ENROL-SERVER; SB-COORD-HOST-SILENT, SB-AGENT-KEY
   */
  rotate(host: string, by: string): Promise<Keys> {
    return this.#inTurn(async () => {
      const { queries, ports } = this.#doors;
      let { key, former } = this.#joined(host);
      if (former === undefined) {
        [key, former] = [await queries.changeKey(host, 'make'), key];
        await this.#rekey(host, { key, former });
      }
      await queries.changeKey(host, 'use', key);
      ports.log.info({ host, by, key, former }, 'key of a host replaced');
      return { key, former };
    });
  }

  /** The key before is worth nothing any more. @throws as `rotate`; SB-ENROL-KEY while a run relies on it. */
  withdraw(host: string, by: string): Promise<Keys> {
    return this.#inTurn(async () => {
      const { queries, plannedWith, ports } = this.#doors;
      const { key, former } = this.#joined(host);
      if (former === undefined) throw coordinatorError('SB-ENROL-KEY', `${host} has one key only`);
      const runs = await plannedWith(former);
      if (runs.length > 0) {
        throw coordinatorError('SB-ENROL-KEY', `${runs.join(', ')} was planned with the key of ${host} before`);
      }
      await queries.changeKey(host, 'forget', key);
      await this.#rekey(host, { key });
      ports.log.info({ host, by, key, former }, 'key of a host withdrawn');
      return { key };
    });
  }

  #joined(host: string): Keys {
    const joined = this.#doors.register.hosts[host];
    if (joined) return joined;
    const why = this.#doors.register.isFixed(host) ? 'stands in coordinator.yaml' : 'has not joined';
    throw coordinatorError('SB-ENROL-HOST', `${host} ${why}`);
  }

  async #rekey(host: string, keys: Keys): Promise<void> {
    const { register, hosts } = this.#doors;
    const { [host]: entry } = register.hosts;
    if (!entry) return;
    const { former: _, ...rest } = entry;
    await this.#change({ hosts: { ...register.hosts, [host]: { ...rest, ...keys } } });
    hosts.rekey(host, keys);
  }

  async #join(tokenKey: string, data: Uint8Array): Promise<{ reply: Uint8Array; after: () => void }> {
    const asking = { tokenKey };
    this.#asking.add(asking);
    const after = () => this.#answered(asking);
    try {
      return { reply: await this.#answer(tokenKey, data), after };
    } catch (error) {
      after();
      throw error;
    }
  }

  async #answer(tokenKey: string, data: Uint8Array): Promise<Uint8Array> {
    const { ports, audit } = this.#doors;
    let nonce = '';
    let host: string | undefined;
    try {
      const { payload, keys } = open(data, { kind: 'join', schema: JoinRequest, trusts: (key) => key === tokenKey });
      ({ nonce, host } = payload);
      // The token says that it may come in, its own key that it has that key.
      if (payload.tokenKey !== tokenKey || !keys.includes(payload.key) || payload.key === tokenKey) {
        throw coordinatorError('SB-ENROL-TOKEN', 'the request is not signed by the token and by the key of the host');
      }
      const labels = await this.#inTurn(() => this.#letIn(payload));
      const by = { name: host, key: payload.key, role: 'host' };
      await audit.write({ verb: 'join', host, by, data });
      const joined: JoinReply = { type: 'joined', nonce, labels };
      return seal('joined', joined, ports.signer);
    } catch (error) {
      const failure = failureOf(error);
      ports.log.warn({ tokenKey, code: failure.code }, failure.message);
      await audit.write({ verb: 'join', host, failure, data });
      return seal('joined', { type: 'failed', nonce, failure } satisfies JoinReply, ports.signer);
    }
  }

  async #letIn({ mesh, host, key, tokenKey }: JoinRequest): Promise<Record<string, string>> {
    const { register, ports, hosts } = this.#doors;
    const token = register.tokens[tokenKey];
    const nowMs = ports.clock.wallMs();
    if (mesh !== ports.mesh || token?.host !== host) {
      throw coordinatorError('SB-ENROL-TOKEN', `no token is open for ${host} with this key`);
    }
    if (token.expiresAtMs <= nowMs) throw coordinatorError('SB-ENROL-TOKEN', `the token for ${host} has expired`);
    if (hosts.get(host)) throw coordinatorError('SB-ENROL-TOKEN', `the token for ${host} has been used`);
    const { labels, by } = token;
    // The token stays a user of the server until its answer is out; to let anybody in, it is spent with this.
    await this.#change({ hosts: { ...register.hosts, [host]: { key, labels, joinedAtMs: nowMs, by } } });
    await ports.bus.prepare([host]);
    hosts.add(host, { key, labels });
    ports.log.info({ host, key, by }, 'host joined');
    return labels;
  }

  /** Closes the token if it was spent. */
  #answered(asking: { readonly tokenKey: string }): void {
    const { register, ports } = this.#doors;
    this.#asking.delete(asking);
    if (!this.#isSpent(register.tokens[asking.tokenKey])) return;
    this.#inTurn(() => this.#change({})).catch((error: unknown) =>
      ports.log.error({ err: error }, 'tokens not closed'),
    );
  }

  #isSpent(token: RegisterFile['tokens'][string] | undefined): boolean {
    return token !== undefined && Object.hasOwn(this.#doors.register.hosts, token.host);
  }

  /** Written, and known to the server. Tokens that are spent and answered, or too old, go with every change. */
  async #change(change: Partial<Pick<RegisterFile, 'hosts' | 'tokens'>>): Promise<void> {
    const { register, reach, ports } = this.#doors;
    const nowMs = ports.clock.wallMs();
    const asked = new Set([...this.#asking].map(({ tokenKey }) => tokenKey));
    const open = Object.entries(change.tokens ?? register.tokens);
    const tokens = Object.fromEntries(
      open.filter(([key, token]) => token.expiresAtMs > nowMs && (asked.has(key) || !this.#isSpent(token))),
    );
    register.write({ ...change, tokens });
    try {
      await reloadServer({ ...reach, seed: register.systemSeed, name: `${reach.name} system` });
    } catch (error) {
      const { message } = failureOf(error);
      throw coordinatorError('SB-ENROL-SERVER', message, { cause: error });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
