import type { AuditLog } from '@signalbox/bus';
import { type Actor, AuditEntry, type AuditLane, type Failure, SignalboxError } from '@signalbox/protocol';
import { open, seal, sha256 } from '@signalbox/protocol/crypto';
import { isReading } from './access.ts';
import { coordinatorError } from './codes.ts';
import type { Ports } from './ports.ts';

/** A request and what became of it. */
export interface AuditedRequest {
  readonly verb: string;
  readonly run?: string | undefined;
  readonly host?: string | undefined;
  /** Whose signature was good. */
  readonly by?: Actor | undefined;
  /** Of a refusal. */
  readonly failure?: Failure | undefined;
  /** As it came. */
  readonly data: Uint8Array;
}

/** The same look of the same person is written down once in so long: a screen that follows a run looks every second. */
const LOOK_AGAIN_MS = 600_000;
/** What strangers send is written one by one, and so many may wait for it. */
const STRANGERS_WAITING = 64;
/** Messages are somebody else's words; they are cut. */
const MESSAGE_LENGTH = 500;
const ATTEMPTS = 3;

interface Head {
  readonly sequence: number;
  readonly index: number;
  readonly hash: string;
}

const EMPTY: Head = { sequence: 0, index: -1, hash: '' };

/**
 * What this coordinator was asked, granted or refused: each entry is sealed, names the one before, and is stored before
 * the answer goes out. What cannot be stored is in the coordinator's own log, and hinders nobody.
 */
export class Audit {
  readonly #log: AuditLog;
  readonly #ports: Pick<Ports, 'name' | 'signer' | 'clock' | 'log'>;
  readonly #lanes = new Map<AuditLane, { turn: Promise<unknown>; waiting: number; unwritten: number; head?: Head }>();
  readonly #looks = new Map<string, number>();

  constructor(log: AuditLog, ports: Pick<Ports, 'name' | 'signer' | 'clock' | 'log'>) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Stored when it resolves, or said in the log that it is not. Never rejects. */
  async write(asked: AuditedRequest): Promise<void> {
    const name = laneOf(asked);
    if (name === 'looked' && this.#looksAgain(asked)) return;
    const lane = this.#lanes.get(name) ?? { turn: Promise.resolve(), waiting: 0, unwritten: 0 };
    this.#lanes.set(name, lane);
    if (name === 'unproven' && lane.waiting >= STRANGERS_WAITING) {
      lane.unwritten += 1;
      return;
    }
    const atMs = this.#ports.clock.wallMs();
    lane.waiting += 1;
    const mine = lane.turn.then(async () => {
      const { unwritten } = lane;
      lane.head = await this.#append(name, lane.head, (head) =>
        this.#entry(asked, { head, lane: name, atMs, unwritten }),
      );
      lane.unwritten -= unwritten;
    });
    lane.turn = mine.catch((error: unknown) => {
      delete lane.head;
      const { data: _, ...said } = asked;
      this.#ports.log.error({ ...said, err: error }, 'a request is not on record in the mesh, only here');
    });
    await lane.turn;
    lane.waiting -= 1;
  }

  #looksAgain({ by, verb, run, host, failure }: AuditedRequest): boolean {
    const nowMs = this.#ports.clock.monotonicMs();
    const look = JSON.stringify([by?.key, verb, run, host, failure?.code]);
    for (const [old, atMs] of this.#looks) {
      if (nowMs - atMs < LOOK_AGAIN_MS) break;
      this.#looks.delete(old);
    }
    if (this.#looks.has(look)) return true;
    this.#looks.set(look, nowMs);
    return false;
  }

  #entry(
    { data, failure, by, ...what }: AuditedRequest,
    { head, unwritten, ...where }: { head: Head; unwritten: number; lane: AuditLane; atMs: number },
  ): AuditEntry {
    return {
      coordinator: this.#ports.name,
      ...where,
      index: head.index + 1,
      previous: head.hash,
      ...what,
      ...(by === undefined ? {} : { by }),
      granted: failure === undefined,
      ...(failure === undefined ? {} : { code: failure.code, message: failure.message.slice(0, MESSAGE_LENGTH) }),
      request: sha256(data),
      ...(unwritten === 0 ? {} : { unwritten }),
    };
  }

  /** @throws what the bus throws; SB-COORD-AUDIT when another process writes there under this name. */
  async #append(lane: AuditLane, known: Head | undefined, make: (head: Head) => AuditEntry): Promise<Head> {
    const { name: coordinator, signer } = this.#ports;
    let head = known;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      head ??= await this.#end(lane);
      const entry = make(head);
      const data = seal('audit', entry, signer);
      const stored = await this.#log.append({ coordinator, lane }, data, head.sequence);
      if (stored !== 'conflict') return { sequence: stored.sequence, index: entry.index, hash: sha256(data) };
      head = undefined;
    }
    throw coordinatorError('SB-COORD-AUDIT', `another process writes as ${coordinator}`);
  }

  /**
   * Where the process before has stopped. What it has written is proven by whoever reads it, by keys of then. Behind what is no
   * entry at all it begins anew: whoever reads sees a chain that does not fit, and nothing goes unrecorded for it.
   */
  async #end(lane: AuditLane): Promise<Head> {
    const last = await this.#log.last({ coordinator: this.#ports.name, lane });
    if (last === undefined) return EMPTY;
    const { sequence, data } = last;
    return { sequence, index: indexOf(data), hash: sha256(data) };
  }
}

function indexOf(data: Uint8Array): number {
  try {
    return open(data, { kind: 'audit', schema: AuditEntry, trusts: () => true }).payload.index;
  } catch (error) {
    if (error instanceof SignalboxError) return EMPTY.index;
    throw error;
  }
}

function laneOf({ by, verb }: AuditedRequest): AuditLane {
  if (by === undefined) return 'unproven';
  return isReading(verb) ? 'looked' : 'asked';
}
