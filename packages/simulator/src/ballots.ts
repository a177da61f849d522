import type { Crossing, RunEvent } from '@signalbox/protocol';
import { indexOf, openRound, type RunState } from '@signalbox/sequencer';
import { must } from './broken.ts';

interface OnDisk {
  /** By round: the nonce of a yes. */
  readonly yes: Map<number, string>;
  /** The round of the last yes, until the host is released. */
  bound: number;
  sealed: boolean;
}

export interface BallotsOptions {
  readonly nowMs: () => number;
  readonly truthAt: (host: string, what: string, atMs: number) => boolean;
}

/** How points of no return are crossed [D4], as the disks of the hosts and the stored log have it. */
export class Ballots {
  readonly #options: BallotsOptions;
  readonly #hosts = new Map<string, OnDisk>();
  readonly #crossings = new Map<string, Crossing>();
  /** By `host round`: commands behind the crossing that have begun there. */
  readonly #begun = new Map<string, Set<string>>();
  /** What each host was asked to look at, by `host round`. */
  readonly #asked = new Map<string, readonly string[]>();
  #askedMs = 0;

  constructor(options: BallotsOptions) {
    this.#options = options;
  }

  forget(host: string): void {
    this.#hosts.delete(host);
  }

  started({ work }: Extract<RunEvent, { type: 'StepStarted' }>): void {
    if (work.kind === 'command' && work.crossing) this.#crossings.set(work.id, work.crossing);
    if (work.kind !== 'round') return;
    this.#askedMs = this.#options.nowMs();
    for (const { host, guards } of work.voters) {
      this.#asked.set(
        `${host} ${work.round}`,
        guards.map((guard) => String(guard.with.what)),
      );
    }
  }

  /** Every host concerned has its vote on disk, and the first of them is not too old to be relied on. */
  crossed({ step }: Extract<RunEvent, { type: 'Crossed' }>, state: RunState): void {
    const ref = indexOf(state.plan).byKey.get(`${step}@-`);
    const round = ref && openRound(state, ref);
    must('D4', round !== undefined, `${step} is crossed without a round`);
    for (const { host } of round.voters) {
      const given = this.#of(host).yes.get(round.round);
      must('D4', given === round.roundNonce, `${step} is crossed, and ${host} has no vote for it on disk`);
    }
    const ageMs = this.#options.nowMs() - this.#askedMs;
    must('D4', ageMs < round.validMs, `${step} is crossed on votes that were asked for ${Math.round(ageMs)} ms ago`);
  }

  /** A line that the host's disk has for good. */
  durable(host: string, record: Record<string, unknown>): void {
    const disk = this.#of(host);
    const round = Number(record.round);
    if (record.type === 'vote' && record.vote === 'yes') {
      disk.yes.set(round, String(record.roundNonce));
      disk.bound = round;
    } else if (record.type === 'control' && record.control === 'release') {
      if (disk.bound <= round) disk.bound = 0;
    } else if (record.type === 'control' && record.control === 'seal') {
      disk.sealed = true;
    } else if (record.type === 'outcome' && (record.outcome as { probed?: string }).probed === 'not-applied') {
      this.#didNothing(String(record.commandId));
    } else if (record.type === 'refused') {
      this.#didNothing((record.command as { id: string }).id);
    }
  }

  /** A command that the host will run. */
  intended(host: string, { id, direction }: { id: string; direction: string }): void {
    const disk = this.#of(host);
    if (this.#crossings.has(id)) disk.sealed = true;
    if (direction === 'do') return;
    must('I3', !disk.sealed, `${host} accepts ${id} behind a point of no return`);
    must('D4', disk.bound === 0, `${host} accepts ${id}, and has voted for a point of no return`);
  }

  /** Something behind a crossing is about to begin: unless something has begun there already, its guards hold now. */
  begins(host: string, commandId: string): void {
    const crossing = this.#crossings.get(commandId);
    if (!crossing) return;
    const key = `${host} ${crossing.round}`;
    const begun = this.#begun.get(key) ?? new Set<string>();
    this.#begun.set(key, begun);
    const nowMs = this.#options.nowMs();
    for (const what of begun.size > 0 ? [] : (this.#asked.get(key) ?? [])) {
      must('I2', this.#options.truthAt(host, what, nowMs), `${commandId} begins on ${host}, and ${what} is not true`);
    }
    begun.add(commandId);
  }

  /** It is proven to have done nothing, so what the guards find now is not its doing. */
  #didNothing(commandId: string): void {
    for (const begun of this.#begun.values()) begun.delete(commandId);
  }

  #of(host: string): OnDisk {
    const known = this.#hosts.get(host) ?? { yes: new Map(), bound: 0, sealed: false };
    this.#hosts.set(host, known);
    return known;
  }
}
