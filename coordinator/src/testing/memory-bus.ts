import type { BusInspection, CoordinatorBus, IncomingReport, Lease, StoredEntry } from '@signalbox/bus';

type ReportHandler = (report: IncomingReport) => Promise<void>;
type Query = { host: string; verb: string; data: Uint8Array };

/** The coordinator's side of the bus in memory: keeps what it is given, and lets a test play the hosts. */
export class MemoryBus implements CoordinatorBus {
  readonly logs = new Map<string, StoredEntry[]>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly commands: { host: string; id: string; data: Uint8Array; ttlMs: number }[] = [];
  readonly controls: { host: string; id: string; data: Uint8Array }[] = [];
  readonly leases = new Map<string, Lease & { kind: string }>();
  /** Coordinators that answer each other. */
  readonly peers = new Map<string, (question: Uint8Array) => Promise<Uint8Array>>();
  readonly status: { what: string; name: string; data: Uint8Array }[] = [];
  readonly stats = { reconnects: 0, messagesIn: 0, messagesOut: 0 };
  connected = true;
  /** Answers queries; undefined is silence. */
  answerQuery: (query: Query) => Promise<Uint8Array | undefined> = async () => undefined;
  /** Thrown by the next appends, oldest first. */
  readonly appendErrors: Error[] = [];
  readonly #handlers = new Map<string, ReportHandler>();
  readonly #unread = new Map<string, { host: string; data: Uint8Array }[]>();
  /** Told of each control, as its host is. */
  onControl: (host: string, data: Uint8Array) => void = () => {};
  readonly #listeners = new Set<(connected: boolean) => void>();
  #sequence = 0;

  async append(run: string, data: Uint8Array, expectedSequence: number): Promise<{ sequence: number } | 'conflict'> {
    const error = this.appendErrors.shift();
    if (error) throw error;
    const log = this.logs.get(run) ?? [];
    if ((log.at(-1)?.sequence ?? 0) !== expectedSequence) return 'conflict';
    this.#sequence += 1;
    this.logs.set(run, [...log, { sequence: this.#sequence, data }]);
    return { sequence: this.#sequence };
  }

  onConnection(listener: (connected: boolean) => void): void {
    this.#listeners.add(listener);
    listener(true);
  }

  /** The connection is lost, and there again. */
  reconnect(): void {
    for (const connected of [false, true]) for (const listener of this.#listeners) listener(connected);
  }

  /** Delivers a report, kept until somebody reads it; resolves to whether it was acknowledged. */
  async deliver(run: string, host: string, data: Uint8Array): Promise<boolean> {
    const handler = this.#handlers.get(run);
    if (!handler) this.#unread.set(run, [...(this.#unread.get(run) ?? []), { host, data }]);
    let acked = false;
    await handler?.({ host, run, data, ack: () => (acked = true) });
    return acked;
  }

  readRun = async (run: string) => this.logs.get(run) ?? [];
  listRuns = async () => [...this.logs.keys()];
  lastEntry = async (run: string) => this.logs.get(run)?.at(-1);
  getBlob = async (sha256: string) => this.blobs.get(sha256);
  query = async (host: string, verb: string, data: Uint8Array) => await this.answerQuery({ host, verb, data });
  getHosts = async () => new Map<string, Uint8Array>();
  onBeat = async () => async () => {};
  serve = async () => async () => {};
  readReports = async () => [];
  readOutput = async () => ({ chunks: [], next: 0 });
  prepare = async () => {};
  putHost = async () => {};
  close = async () => {};

  async putBlob(sha256: string, data: Uint8Array): Promise<void> {
    this.blobs.set(sha256, data);
  }

  async sendCommand(host: string, id: string, data: Uint8Array, ttlMs: number): Promise<void> {
    this.commands.push({ host, id, data, ttlMs });
  }

  async sendControl(host: string, id: string, data: Uint8Array): Promise<void> {
    this.controls.push({ host, id, data });
    this.onControl(host, data);
  }

  async readLeases(kind: string): Promise<Lease[]> {
    return [...this.leases.values()].filter((lease) => lease.kind === kind);
  }

  async writeLease(kind: string, { name, revision, data }: Lease): Promise<{ revision: number } | 'conflict'> {
    const key = `${kind}.${name}`;
    if ((this.leases.get(key)?.revision ?? 0) !== revision) return 'conflict';
    this.#sequence += 1;
    this.leases.set(key, { kind, name, revision: this.#sequence, data });
    return { revision: this.#sequence };
  }

  async dropLease(kind: string, { name, revision }: Pick<Lease, 'name' | 'revision'>): Promise<'dropped' | 'conflict'> {
    const key = `${kind}.${name}`;
    if (this.leases.get(key)?.revision !== revision) return 'conflict';
    this.leases.delete(key);
    return 'dropped';
  }

  async servePeer(peer: string, handler: (question: Uint8Array) => Promise<Uint8Array>) {
    this.peers.set(peer, handler);
    return async () => void this.peers.delete(peer);
  }

  askPeer = async (peer: string, question: Uint8Array) => await this.peers.get(peer)?.(question);
  readLease = async (kind: string, name: string) => this.leases.get(`${kind}.${name}`);

  async reports(run: string, _epoch: number, handler: ReportHandler) {
    this.#handlers.set(run, handler);
    const unread = this.#unread.get(run) ?? [];
    this.#unread.delete(run);
    for (const { host, data } of unread) void this.deliver(run, host, data);
    return async () => {
      this.#handlers.delete(run);
    };
  }

  publishStatus(what: string, name: string, data: Uint8Array): void {
    this.status.push({ what, name, data });
  }

  async inspect(): Promise<BusInspection> {
    return {
      serverVersion: '2.14.0',
      serverName: 'memory',
      jetstream: true,
      roundTripMs: 0,
      storage: { usedBytes: 0, limitBytes: undefined },
      streams: [],
      healthy: true,
    };
  }
}
