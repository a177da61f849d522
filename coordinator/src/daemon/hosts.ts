import {
  BEAT_MS,
  Health,
  type HealthReply,
  HostRecord,
  type HostState,
  hostState,
  SignalboxError,
} from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { coordinatorError } from './codes.ts';
import type { Ports } from './ports.ts';

const LOOK_EVERY_MS = 500;
/** Two beats and a little: who has not been heard by then is away. */
const LISTEN_MS = 2 * BEAT_MS + 500;

/** How often a host that does not change is written down again. */
const REMEMBER_EVERY_MS = 30_000;

interface Known {
  record: HostRecord;
  seenMonotonicMs: number | undefined;
  rememberedMs: number;
  state: HostState;
  /** Instances of the agent that have been replaced by a later one; one of them that beats again is a duplicate. */
  replaced: Set<string>;
  duplicate: string | undefined;
}

/** Who may speak as a host: its key, and the one before until it is withdrawn. */
export interface Enrolled {
  readonly key: string;
  readonly former?: string | undefined;
  readonly labels: Record<string, string>;
}

export type HostListener = (host: string, state: HostState, record: HostRecord) => void;

/** Who is enrolled, who has been heard of, and when. Silence is measured on this coordinator's own clock. */
export class Hosts {
  readonly #ports: Ports;
  readonly #hosts = new Map<string, Known>();
  readonly #listeners: HostListener[] = [];
  readonly #startedMs: number;
  #stopTimer: () => void = () => {};
  #onLook: () => void = () => {};

  constructor(ports: Ports, enrolled: Readonly<Record<string, Enrolled>>) {
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
    for (const [name, entry] of Object.entries(enrolled)) this.add(name, entry);
  }

  /** A host that joins, or one that comes back with another key: nothing that was known of that name is kept. */
  add(name: string, { key, former, labels }: Enrolled): void {
    this.#hosts.set(name, {
      record: { name, key, labels, ...(former === undefined ? {} : { former }) },
      seenMonotonicMs: undefined,
      rememberedMs: 0,
      state: 'never',
      replaced: new Set(),
      duplicate: undefined,
    });
  }

  /** The same host with another key: all that is known of it stays. */
  rekey(name: string, { key, former }: Pick<Enrolled, 'key' | 'former'>): void {
    const known = this.#hosts.get(name);
    if (known) known.record = { ...known.record, key, former };
  }

  /** Its beats and reports are not believed any more; for its runs it is silent. */
  remove(name: string): void {
    const known = this.#hosts.get(name);
    if (known === undefined) return;
    this.#moveTo(known, 'silent', false);
    this.#hosts.delete(name);
  }

  async start(): Promise<void> {
    for (const [name, data] of await this.#ports.bus.getHosts()) {
      const known = this.#hosts.get(name);
      const parsed = HostRecord.safeParse(JSON.parse(Buffer.from(data).toString('utf8')));
      if (known && parsed.success && keysOf(known.record).includes(parsed.data.key)) {
        const { key, former } = known.record;
        known.record = { ...parsed.data, key, former, labels: { ...parsed.data.labels, ...known.record.labels } };
      }
    }
    await this.#ports.bus.onBeat((host, data) => this.#onBeat(host, data));
    this.#watch();
  }

  stop(): void {
    this.#stopTimer();
  }

  onChange(listener: HostListener): void {
    this.#listeners.push(listener);
  }

  /** Calls back each time the hosts have been looked at: the loop that the daemon cannot be without. */
  onLook(listener: () => void): void {
    this.#onLook = listener;
  }

  /**
   * Resolves when the named hosts are online, or when a coordinator that has just started has listened long enough to
   * know that they are not: before its hosts' next beat it can only say that it has not heard of them.
   */
  async settled(names: readonly string[]): Promise<void> {
    const { clock } = this.#ports;
    const enoughMs = this.#startedMs + LISTEN_MS;
    while (names.some((name) => this.stateOf(name) !== 'online') && clock.monotonicMs() < enoughMs) {
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
    }
  }

  /** Everybody, when it is known who is online: not before a coordinator that has just started could have heard them. */
  async roll(): Promise<HostRecord[]> {
    await this.settled([...this.#hosts.keys()]);
    return this.list();
  }

  /** Whether a signature of this key is one of that host. */
  isKeyOf(host: string, key: string): boolean {
    const known = this.#hosts.get(host);
    return known !== undefined && keysOf(known.record).includes(key);
  }

  list(): HostRecord[] {
    return [...this.#hosts.values()].map((known) => known.record);
  }

  stateOf(host: string): HostState {
    return this.#hosts.get(host)?.state ?? 'never';
  }

  get(host: string): HostRecord | undefined {
    return this.#hosts.get(host)?.record;
  }

  async #onBeat(host: string, data: Uint8Array): Promise<Uint8Array> {
    const reply = this.#judge(host, data);
    return seal('reply', reply, this.#ports.signer);
  }

  #judge(host: string, data: Uint8Array): HealthReply {
    const { clock, log, name, mesh } = this.#ports;
    try {
      const known = this.#hosts.get(host);
      if (!known) throw coordinatorError('SB-HOST-UNKNOWN', `${host} is not enrolled in mesh ${mesh}`);
      const { payload } = open(data, { kind: 'health', schema: Health, trusts: (key) => this.isKeyOf(host, key) });
      if (payload.host !== host || payload.mesh !== mesh)
        throw coordinatorError('SB-HOST-UNKNOWN', `${payload.host} of ${payload.mesh} beats as ${host} of ${mesh}`);
      refuseDuplicate(known, payload);
      this.#heard(known, payload);
      return { type: 'heard', coordinator: name, nowMs: clock.wallMs() };
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      log.warn({ host, code: error.code }, error.message);
      return { type: 'refused', failure: error.failure };
    }
  }

  #heard(known: Known, health: Health): void {
    const { clock, bus, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    const changed =
      known.record.health?.instance !== health.instance || known.record.health?.journal !== health.journal;
    known.seenMonotonicMs = nowMs;
    known.record = {
      ...known.record,
      labels: { ...health.labels, ...known.record.labels },
      health,
      seenAtMs: clock.wallMs(),
      skewMs: health.sentAtMs - clock.wallMs(),
    };
    for (const problem of health.problems ?? []) log.warn({ host: health.host, code: problem.code }, problem.message);
    if (changed || nowMs - known.rememberedMs > REMEMBER_EVERY_MS) {
      known.rememberedMs = nowMs;
      bus.putHost(health.host, Buffer.from(JSON.stringify(known.record))).catch((error: unknown) => {
        known.rememberedMs = 0;
        log.debug({ host: health.host, err: error }, 'host record not written');
      });
    }
    this.#moveTo(known, 'online', true);
  }

  /** Looks for silence twice a second; a host that was never heard counts from this coordinator's own start. */
  #watch(): void {
    this.#stopTimer = this.#ports.clock.after(LOOK_EVERY_MS, () => {
      const nowMs = this.#ports.clock.monotonicMs();
      for (const known of this.#hosts.values()) {
        const state = hostState(nowMs - (known.seenMonotonicMs ?? this.#startedMs));
        const never = known.seenMonotonicMs === undefined && known.record.health === undefined;
        if (!never && !(known.seenMonotonicMs === undefined && state !== 'silent')) this.#moveTo(known, state, false);
      }
      this.#onLook();
      this.#watch();
    });
  }

  #moveTo(known: Known, state: HostState, beat: boolean): void {
    const before = known.state;
    known.state = state;
    if (before !== state || beat)
      for (const listener of this.#listeners) listener(known.record.name, state, known.record);
  }
}

/** Newest first. */
export function keysOf({ key, former }: Pick<HostRecord, 'key' | 'former'>): readonly string[] {
  return former === undefined ? [key] : [key, former];
}

/** The old instance beating after a new one took its place: both are alive, and the later one has to go. */
function refuseDuplicate(known: Known, health: Health): void {
  const present = known.record.health?.instance;
  if (known.duplicate === health.instance) throw duplicate(health);
  if (present === undefined || present === health.instance) return;
  if (known.replaced.has(health.instance)) {
    known.duplicate = present;
    known.replaced.delete(health.instance);
    return;
  }
  known.replaced.add(present);
}

function duplicate(health: Health): SignalboxError {
  return coordinatorError('SB-HOST-DUPLICATE', `another agent is alive as ${health.host}`);
}
