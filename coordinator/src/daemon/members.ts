import type { Lease } from '@signalbox/bus';
import { RunId, SignalboxError, wire } from '@signalbox/protocol';
import { z } from 'zod';
import { coordinatorError } from './codes.ts';
import { parseJson } from './parse-json.ts';
import type { Ports } from './ports.ts';

/** A coordinator that is alive, and what it leads or is about to lead. */
export interface Member {
  /** Of one process: a coordinator that is started again is another member. */
  readonly id: string;
  readonly name: string;
  readonly runs: readonly string[];
}

export interface MembersOptions {
  readonly ports: Ports;
  /** A coordinator that has not renewed its lease for so long is taken to be gone. */
  readonly leaseMs: number;
  /** How often the others are looked at; a takeover begins within lease and two looks. */
  readonly lookMs?: number;
}

interface Seen {
  readonly member: Member;
  readonly revision: number;
  /** On this coordinator's own clock: since when the lease stands at that revision. */
  readonly sinceMs: number;
}

const KIND = 'member';
const LOOK_MS = 250;
/** A lease is renewed so many times before it could run out. */
const RENEWALS = 3;
/** How long a coordinator of the same name gets to say that it is alive. */
const NAMESAKE_MS = 1_000;

const Record = wire({ name: z.string(), runs: z.array(RunId) });

/**
 * Who coordinates this mesh at the moment, by leases in the key-value store [D3]. A lease is a hint and nothing more: it
 * keeps two coordinators from reaching for the same run, and tells a standby when to begin. Who leads a run is decided by
 * its log, and whom a host obeys by the epoch.
 *
 * One lease a coordinator, not a run: it names the runs. The server counts no time. Whoever wants to know whether another
 * is gone watches its revision stand still on a clock of its own, and then drops the lease by that revision: if the
 * other one did renew it, that fails; if not, its next renewal does, and it knows that it has been replaced.
 */
export class Members {
  readonly id: string;
  readonly leaseMs: number;
  readonly #ports: Ports;
  readonly #lookMs: number;
  readonly #seen = new Map<string, Seen>();
  readonly #runs = new Set<string>();
  #revision = 0;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<unknown> = Promise.resolve();
  #cancel: () => void = () => {};
  #stopped = false;
  /** After each look at the others. */
  onLook: () => void = () => {};
  /** Somebody has taken this coordinator to be gone; what it led is led by others, or about to be. */
  onLost: () => void = () => {};

  constructor({ ports, leaseMs, lookMs }: MembersOptions) {
    this.#ports = ports;
    this.id = ports.newId();
    this.leaseMs = leaseMs;
    this.#lookMs = lookMs ?? Math.min(LOOK_MS, leaseMs / 5);
  }

  /** Everybody who is alive as far as is known, this coordinator first. */
  live(): Member[] {
    const self: Member = { id: this.id, name: this.#ports.name, runs: [...this.#runs] };
    return [self, ...[...this.#seen.values()].map(({ member }) => member)];
  }

  /** Another coordinator that leads the run, or says that it is about to. */
  leaderOf(run: string): Member | undefined {
    return [...this.#seen.values()].find(({ member }) => member.runs.includes(run))?.member;
  }

  /** Of all that are alive one speaks for the mesh, so that what all of them hear is told once. */
  get speaks(): boolean {
    return [...this.#seen.keys()].every((id) => this.id < id);
  }

  /**
   * Joins, and goes on renewing and looking until `stop`. What a namesake has left that does not answer any more is free
   * at once: it is this coordinator before it was started again.
   * @throws what the bus throws.
   */
  async start(): Promise<void> {
    await this.#write();
    await this.#look();
    const namesakes = [...this.#seen.values()].filter(({ member }) => member.name === this.#ports.name);
    await Promise.all(namesakes.map((seen) => this.#buryNamesake(seen)));
    this.#goOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#writing;
    const { bus, log } = this.#ports;
    // Told at once instead of found out: the others need not wait for the lease to run out.
    await bus.dropLease(KIND, { name: this.id, revision: this.#revision }).catch((error: unknown) => {
      log.debug({ err: error }, 'the lease was not given back; it runs out by itself');
    });
  }

  /** Says that these runs are this coordinator's, before it does anything about them. @throws what the bus throws. */
  async claim(runs: readonly string[]): Promise<void> {
    for (const run of runs) this.#runs.add(run);
    try {
      await this.#write();
    } catch (error) {
      for (const run of runs) this.#runs.delete(run);
      throw error;
    }
  }

  /** It is this coordinator's, whether it leads it already or is about to. */
  holds(run: string): boolean {
    return this.#runs.has(run);
  }

  /** The others hear of it with the next renewal. */
  release(run: string): void {
    if (this.#runs.delete(run)) this.#renewedMs = Number.NEGATIVE_INFINITY;
  }

  #goOn(): void {
    if (this.#stopped) return;
    this.#cancel = this.#ports.clock.after(this.#lookMs, () => {
      this.#turn()
        .catch((error: unknown) => {
          if (!(error instanceof SignalboxError)) throw error;
          this.#ports.log.debug({ code: error.code }, `the leases cannot be seen: ${error.message}`);
        })
        .finally(() => this.#goOn());
    });
  }

  async #turn(): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs - this.#renewedMs >= this.leaseMs / RENEWALS) await this.#write();
    await this.#look();
    if (!this.#stopped) this.onLook();
  }

  /** One write after the other: each goes by the revision of the one before. */
  #write(): Promise<void> {
    const turn = this.#writing.then(() => this.#renew());
    this.#writing = turn.catch(() => {});
    return turn;
  }

  async #renew(): Promise<void> {
    if (this.#stopped) throw coordinatorError('SB-COORD-NOT-LED', 'this coordinator is stopping');
    const { bus, clock, log } = this.#ports;
    const startedMs = clock.monotonicMs();
    let written = await this.#put();
    if (written === 'conflict') {
      // Only the owner writes a lease, the others drop it: what is there is an own write whose answer was lost.
      const mine = (await bus.readLeases(KIND)).find(({ name }) => name === this.id);
      this.#revision = mine?.revision ?? 0;
      if (mine === undefined) {
        log.warn({}, 'the lease was taken from this coordinator; it goes on as a standby');
        this.#runs.clear();
        this.onLost();
      }
      written = await this.#put();
      if (written === 'conflict') throw coordinatorError('SB-COORD-NOT-LED', 'the lease of this coordinator was lost');
    }
    this.#revision = written.revision;
    this.#renewedMs = startedMs;
  }

  #put(): Promise<{ revision: number } | 'conflict'> {
    const data = Buffer.from(JSON.stringify({ name: this.#ports.name, runs: [...this.#runs] }));
    return this.#ports.bus.writeLease(KIND, { name: this.id, revision: this.#revision, data });
  }

  async #look(): Promise<void> {
    const { bus, clock } = this.#ports;
    const beforeMs = clock.monotonicMs();
    // Whoever could not look for so long, because the bus was away or the process stood still, has seen nobody stand still.
    const isAwake = beforeMs - this.#lookedMs <= this.leaseMs;
    const leases = (await bus.readLeases(KIND)).filter(({ name }) => name !== this.id);
    const nowMs = clock.monotonicMs();
    const names = new Set(leases.map(({ name }) => name));
    for (const id of this.#seen.keys()) if (!names.has(id)) this.#seen.delete(id);
    for (const lease of leases) {
      const seen = this.#seen.get(lease.name);
      if (!isAwake || seen?.revision !== lease.revision) this.#note(lease, nowMs);
      else if (beforeMs - seen.sinceMs > this.leaseMs) await this.#bury(seen, 'has not renewed its lease');
    }
    this.#lookedMs = nowMs;
  }

  #note({ name, revision, data }: Lease, sinceMs: number): void {
    const parsed = Record.safeParse(parseJson(data));
    if (parsed.success) this.#seen.set(name, { member: { id: name, ...parsed.data }, revision, sinceMs });
  }

  async #bury({ member, revision }: Seen, why: string): Promise<void> {
    const { bus, log } = this.#ports;
    if ((await bus.dropLease(KIND, { name: member.id, revision })) === 'conflict') return;
    this.#seen.delete(member.id);
    log.warn({ coordinator: member.name, runs: member.runs }, `${member.name} ${why}; what it led is free`);
  }

  async #buryNamesake(seen: Seen): Promise<void> {
    const { bus, log, name } = this.#ports;
    try {
      const answer = await bus.askPeer(seen.member.id, new Uint8Array(), NAMESAKE_MS);
      if (answer === undefined) await this.#bury(seen, 'is not there any more');
      else log.warn({}, `another coordinator is called ${name} too: give each its own name`);
    } catch (error) {
      // It may be asleep: its lease tells.
      if (!(error instanceof SignalboxError)) throw error;
    }
  }
}
