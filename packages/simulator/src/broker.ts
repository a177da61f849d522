import { busError, type Lease, type StoredEntry } from '@signalbox/bus';

/** How long a delivered message may stay undecided before it is delivered again. */
export const ACK_WAIT_MS = 30_000;

/** A message in a lane of one host. */
export interface Parcel {
  readonly id: string;
  readonly data: Uint8Array;
  readonly expiresAtMs: number;
  done: boolean;
  againAtMs: number;
}

export interface StoredReport {
  readonly host: string;
  readonly data: Uint8Array;
  acked: boolean;
  /** By the epoch of whoever has it: not delivered to the same leadership again before then. */
  readonly againAtMs: Map<number, number>;
}

export type LaneName = 'commands' | 'controls';

/**
 * What NATS keeps: everything that was acknowledged is on disk (`sync_interval: always`), so a restart loses nothing
 * that is stored and cuts all connections.
 */
export class Broker {
  logs = new Map<string, StoredEntry[]>();
  blobs = new Map<string, Uint8Array>();
  hosts = new Map<string, Uint8Array>();
  reports = new Map<string, StoredReport[]>();
  #leases = new Map<string, Lease & { readonly kind: string }>();
  #lanes = new Map<string, Map<string, Parcel>>();
  #sequence = 0;
  up = true;
  /** Nothing more is stored. */
  full = false;
  /** Servers before 2.11 do not know a message's time to live, and keep commands for a day. */
  expires = true;
  /** Told of each new message: who listens live gets it. */
  onParcel: (host: string, lane: LaneName, parcel: Parcel) => void = () => {};
  onReport: (run: string) => void = () => {};
  /** Told of everything that is stored. */
  onStored: (data: Uint8Array) => void = () => {};
  onAppend: (run: string, data: Uint8Array) => void = () => {};

  /** Gives back what is stored now, as often as it is called: what was stored since is gone then, sequences as well. */
  remember(): () => void {
    const copyOf = <T extends object>(items: readonly T[]) => items.map((item) => ({ ...item }));
    const logs = [...this.logs].map(([run, log]) => [run, [...log]] as const);
    const reports = [...this.reports].map(([run, stored]) => [run, copyOf(stored)] as const);
    const lanes = [...this.#lanes].map(([key, lane]) => [key, copyOf([...lane.values()])] as const);
    const [blobs, hosts, leases, sequence] = [[...this.blobs], [...this.hosts], [...this.#leases], this.#sequence];
    return () => {
      this.logs = new Map(logs.map(([run, log]) => [run, [...log]]));
      this.reports = new Map(reports.map(([run, stored]) => [run, copyOf(stored)]));
      this.#lanes = new Map(lanes.map(([key, lane]) => [key, new Map(copyOf(lane).map((one) => [one.id, one]))]));
      [this.blobs, this.hosts, this.#leases] = [new Map(blobs), new Map(hosts), new Map(leases)];
      this.#sequence = sequence;
    };
  }

  /** @throws SB-BUS-STORAGE-FULL */
  #store(data: Uint8Array): void {
    if (this.full) throw busError('SB-BUS-STORAGE-FULL', 'the simulated storage is full');
    this.onStored(data);
  }

  blob(sha256: string, data: Uint8Array): void {
    if (this.blobs.has(sha256)) return;
    this.#store(data);
    this.blobs.set(sha256, data);
  }

  append(run: string, data: Uint8Array, expectedSequence: number): number | 'taken' {
    const log = this.logs.get(run) ?? [];
    if ((log.at(-1)?.sequence ?? 0) !== expectedSequence) return 'taken';
    this.#store(data);
    this.#sequence += 1;
    log.push({ sequence: this.#sequence, data });
    this.logs.set(run, log);
    this.onAppend(run, data);
    return this.#sequence;
  }

  leases(kind: string): Lease[] {
    return [...this.#leases.values()].filter((lease) => lease.kind === kind);
  }

  /** Without data: the lease is dropped. */
  lease(kind: string, { name, revision, data }: Omit<Lease, 'data'> & { data?: Uint8Array }): number | 'conflict' {
    const key = `${kind}.${name}`;
    const last = this.#leases.get(key);
    if ((last?.revision ?? 0) !== revision) return last && data && same(last.data, data) ? last.revision : 'conflict';
    if (this.full) throw busError('SB-BUS-STORAGE-FULL', 'the simulated storage is full');
    this.#sequence += 1;
    if (data) this.#leases.set(key, { kind, name, revision: this.#sequence, data });
    else this.#leases.delete(key);
    return this.#sequence;
  }

  lane(host: string, name: LaneName): Map<string, Parcel> {
    const key = `${name} ${host}`;
    const lane = this.#lanes.get(key) ?? new Map<string, Parcel>();
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Stores a message as the first of its subject. */
  post(host: string, name: LaneName, message: Pick<Parcel, 'id' | 'data' | 'expiresAtMs'>): 'stored' | 'other-content' {
    const lane = this.lane(host, name);
    const known = lane.get(message.id);
    if (known) return same(known.data, message.data) ? 'stored' : 'other-content';
    this.#store(message.data);
    const parcel: Parcel = { ...message, done: false, againAtMs: 0 };
    lane.set(message.id, parcel);
    this.onParcel(host, name, parcel);
    return 'stored';
  }

  report(run: string, host: string, data: Uint8Array): void {
    this.#store(data);
    const reports = this.reports.get(run) ?? [];
    reports.push({ host, data, acked: false, againAtMs: new Map() });
    this.reports.set(run, reports);
    this.onReport(run);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
