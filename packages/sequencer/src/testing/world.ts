import type { JsonObject, OutcomeReport } from '@signalbox/protocol';
import type { Input } from '../inputs.ts';
import type { Effect } from '../pending.ts';
import type { Dice } from './dice.ts';
import { BROKE, BUSY, LOST } from './run.ts';

type CommandEffect = Extract<Effect, { type: 'command' }>;
type OfHost = Extract<Input, { type: 'accepted' | 'outcome' | 'refused' | 'withdrawn' }>;

/** What a host has of a step: everything, something, or nothing. */
type Mark = 'applied' | 'partial';

/** One command as its host knows it: the journal of a simulated agent. */
interface Known {
  readonly effect: CommandEffect;
  state: 'waiting' | 'accepted' | 'ended' | 'voided';
}

/**
 * Hosts that do what they are told, badly: commands are carried out at most once an id, reports may be lost, come twice
 * or late, and an agent may be interrupted and know only what its probe finds. It keeps what was really done, so that a
 * test can compare the run's picture with it.
 */
export class World {
  readonly #dice: Dice;
  readonly #known = new Map<string, Known>();
  readonly #posted: CommandEffect[] = [];
  readonly #bodies = new Map<string, string>();
  /** Ids that were withdrawn before they arrived. */
  readonly #forget = new Set<string>();
  /** Reports on their way, in the order in which they were sent. */
  readonly wire: OfHost[] = [];
  /** Everything a host ever reported: it is repeated until it has been heard. */
  readonly #sent: OfHost[] = [];
  /** What is on the hosts, by step and host. */
  readonly marks = new Map<string, Mark>();
  /** Ids in the order in which they were carried out. */
  readonly executed: string[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Something is still going on about this step on this host, or on its way to it. */
  isBusyWith(step: string, host: string | null): boolean {
    const about = (effect: CommandEffect) => effect.step === step && effect.host === host;
    return this.#posted.some(about) || [...this.#known.values()].some((known) => isOpen(known) && about(known.effect));
  }

  get isBusy(): boolean {
    return this.#posted.length > 0 || [...this.#known.values()].some(isOpen);
  }

  /** A command is on its way; it may arrive long after it has been withdrawn. */
  post(effect: CommandEffect): void {
    const body = JSON.stringify(effect.work);
    const earlier = this.#bodies.get(effect.work.id);
    if (earlier !== undefined && earlier !== body) throw new Error(`[I1] another body under ${effect.work.id}`);
    this.#bodies.set(effect.work.id, body);
    if (!this.#known.has(effect.work.id) && !this.#posted.some((p) => p.work.id === effect.work.id)) {
      this.#posted.push(effect);
    }
  }

  /** [I1] A host takes a command as an agent does: an id that it knows, or has been told to forget, is nothing new. */
  deliver(): void {
    const [effect] = this.#posted.splice(this.#dice.roll(Math.max(1, this.#posted.length)), 1);
    if (!effect || this.#known.has(effect.work.id)) return;
    if (this.#forget.has(effect.work.id)) return;
    // [D2] Accepting undo, or a later attempt, voids what was not accepted before it.
    for (const earlier of this.#known.values()) {
      const same = earlier.effect.step === effect.step && earlier.effect.host === effect.host;
      if (same && earlier.state === 'waiting') earlier.state = 'voided';
    }
    for (const earlier of this.#posted) {
      if (earlier.step === effect.step && earlier.host === effect.host) this.#forget.add(earlier.work.id);
    }
    this.#known.set(effect.work.id, { effect, state: 'waiting' });
  }

  void({ commands }: Extract<Effect, { type: 'void' }>): void {
    const withdrawn = commands.filter((id) => {
      const known = this.#known.get(id);
      if (known && known.state !== 'waiting' && known.state !== 'voided') return false;
      if (known) known.state = 'voided';
      this.#forget.add(id);
      return true;
    });
    if (withdrawn.length > 0) this.send({ type: 'withdrawn', commands: withdrawn });
  }

  /** One host does one thing about one command. */
  work(): void {
    const open = [...this.#known.values()].filter(isOpen);
    const known = open[this.#dice.roll(Math.max(1, open.length))];
    if (!known) return;
    if (known.state === 'waiting') this.begin(known);
    else this.end(known);
  }

  /** What an agent that is asked again says of everything it ever did. */
  repeatAll(): void {
    this.wire.push(...this.#sent);
  }

  private begin(known: Known): void {
    const of = tryOf(known.effect);
    if (this.#dice.chance(1, 8)) {
      known.state = 'voided';
      this.send({ type: 'refused', ...of, failure: this.#dice.pick([BUSY, BROKE]) });
      return;
    }
    known.state = 'accepted';
    const before: JsonObject = { was: known.effect.step };
    this.send({ type: 'accepted', ...of, before });
  }

  private end(known: Known): void {
    const { effect } = known;
    known.state = 'ended';
    this.executed.push(effect.work.id);
    const outcome = this.#dice.chance(1, 3) ? this.goWrong(effect) : this.goWell(effect);
    this.send({ type: 'outcome', ...tryOf(effect), outcome, durationMs: 1 });
  }

  private goWell(effect: CommandEffect): OutcomeReport['outcome'] {
    this.mark(effect, effect.direction === 'do' ? 'applied' : undefined);
    return { status: 'succeeded', receipt: { made: effect.work.id } };
  }

  private goWrong(effect: CommandEffect): OutcomeReport['outcome'] {
    const key = markKey(effect);
    const was = this.marks.get(key);
    const half = this.#dice.pick<Mark | undefined>([was, 'partial']);
    switch (this.#dice.roll(4)) {
      case 0:
        this.mark(effect, half);
        return { status: 'failed', failure: this.#dice.pick([BUSY, BROKE]) };
      case 1:
        this.mark(effect, half);
        return { status: 'unknown', failure: LOST, probed: this.find(effect, was) };
      case 2:
        this.goWell(effect);
        return { status: 'unknown', failure: LOST, probed: this.find(effect, was) };
      default:
        this.mark(effect, half);
        return { status: 'unknown', failure: LOST, probed: 'cannot-tell' };
    }
  }

  /** What the action's probe says, truthfully. */
  private find({ direction, step, host }: CommandEffect, was: Mark | undefined) {
    const now = this.marks.get(`${step}@${host}`);
    if (now === 'partial') return 'partial';
    if (direction === 'do') return now === 'applied' && was !== 'applied' ? 'applied' : now ? 'partial' : 'not-applied';
    return now === undefined ? 'applied' : 'not-applied';
  }

  private mark(effect: CommandEffect, mark: Mark | undefined): void {
    if (mark) this.marks.set(markKey(effect), mark);
    else this.marks.delete(markKey(effect));
  }

  private send(report: OfHost): void {
    this.#sent.push(report);
    if (this.#dice.chance(1, 10)) return;
    this.wire.push(report);
    if (this.#dice.chance(1, 10)) this.wire.push(report);
  }
}

function isOpen({ state }: Known): boolean {
  return state === 'waiting' || state === 'accepted';
}

function markKey({ step, host }: CommandEffect): string {
  return `${step}@${host}`;
}

function tryOf({ step, host, direction, attempt }: CommandEffect) {
  return { step, host, direction, attempt };
}
