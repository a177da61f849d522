import { type Plan, SignalboxError } from '@signalbox/protocol';
import { blockers } from '../blockers.ts';
import type { Input } from '../inputs.ts';
import type { Effect } from '../pending.ts';
import { isEnded, isMoving } from '../state.ts';
import { indexOf } from '../tree.ts';
import { cellOf } from '../walk.ts';
import type { Dice } from './dice.ts';
import { Oracle } from './oracle.ts';
import { AYSE, CAN, MEHMET, TestRun } from './run.ts';
import { World } from './world.ts';

type Of<T extends Effect['type']> = Extract<Effect, { type: T }>;

const PEOPLE = [AYSE, CAN, MEHMET] as const;
const MOST_CALM_ROUNDS = 400;

/** A run on hosts that have a bad day, people who decide this and that, and an oracle that reads along. */
export class BadDay {
  readonly run: TestRun;
  readonly world: World;
  readonly oracle: Oracle;
  readonly #dice: Dice;
  /** Every input, for a person who looks at a failed test. */
  readonly story: string[] = [];

  constructor(plan: Plan, dice: Dice) {
    this.#dice = dice;
    this.run = new TestRun(plan);
    this.world = new World(dice);
    this.oracle = new Oracle(this.run);
    this.say({ type: 'create', by: AYSE, planHash: 'h' });
    this.say({ type: 'lead', coordinator: 'c', epoch: 1, nonce: 'n' });
  }

  /** Things happen in any order until the dice are used up. */
  storm(): void {
    while (this.#dice.left > 0 && !isEnded(this.run.state)) this.happen();
  }

  /** From here on hosts do what they are told, reports arrive, and people decide what is theirs: the run has to end. */
  calm(): void {
    for (let round = 0; !isEnded(this.run.state); round++) {
      if (round > MOST_CALM_ROUNDS) throw new Error(`stuck: ${this.run.status} ${this.run.why}\n${this.picture()}`);
      this.world.repeatAll();
      while (this.world.wire.length > 0) this.hear(0);
      this.carry();
      while (this.world.isBusy) {
        this.world.deliver();
        this.world.work();
      }
      this.settleUnknown();
      this.answerAll();
      this.decideAll();
      this.pass(5_000);
    }
  }

  private happen(): void {
    const dice = this.#dice;
    const things: [() => void, number][] = [
      [() => this.carry(), 4],
      [() => this.world.deliver(), 3],
      [() => this.world.work(), 4],
      [() => this.hear(dice.roll(Math.max(1, this.world.wire.length))), 5],
      [() => this.answer(), 4],
      [() => this.passOrLose(), 2],
      [() => this.meddle(), 1],
    ];
    let roll = dice.roll(things.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [happens, weight] of things) {
      if (roll < weight) {
        happens();
        return;
      }
      roll -= weight;
    }
  }

  /** What the run wants of the world reaches it. */
  private carry(): void {
    for (const effect of this.run.effects('command')) this.world.post(effect);
    for (const effect of this.run.effects('void')) this.world.void(effect);
  }

  private hear(index: number): void {
    const [report] = this.world.wire.splice(index, 1);
    if (report) this.say(report);
  }

  private passOrLose(): void {
    const dice = this.#dice;
    const host = dice.pick(['h1', 'h2', 'h3']);
    switch (dice.roll(6)) {
      case 4:
        this.say({ type: 'silent', host, lastSeenAtMs: undefined });
        break;
      case 5:
        if (dice.chance(1, 2)) this.world.repeatAll();
        this.say({ type: 'back', host });
        break;
      default:
        this.pass(dice.pick([1_000, 10_000, 100_000]));
    }
  }

  private pass(ms: number): void {
    this.run.atMs += ms;
    this.run.runMs += ms;
    this.say({ type: 'tick' });
  }

  private answer(): void {
    const asked = [...this.run.effects('watch'), ...this.run.effects('record'), ...this.run.effects('vote')];
    const effect = asked[this.#dice.roll(Math.max(1, asked.length))];
    if (effect?.type === 'watch') this.answerWatch(effect);
    if (effect?.type === 'record') this.say({ ...at(effect), type: 'recorded', values: {} });
    if (effect?.type === 'vote') this.answerVote(effect, this.#dice.chance(1, 4));
  }

  private answerWatch(effect: Of<'watch'>): void {
    const { watch, ...of } = { ...at(effect), watch: effect.key };
    const bad = this.#dice.chance(1, 4);
    if (effect.use === 'fence') {
      if (bad) this.say({ type: 'fenceBroke', ...of, watch, values: { ok: false }, why: 'broke' });
    } else if (effect.use === 'proof') {
      if (!bad) this.say({ type: 'proven', step: effect.step, host: effect.waiting });
    } else if (bad) {
      this.say({ type: 'gateFailed', ...of, watch, values: {}, why: 'failIf', kind: 'failIf' });
    } else {
      this.say({ type: 'gateMet', ...of, watch, values: { ok: true, more: 1 }, heldMs: 0 });
    }
  }

  private answerVote(effect: Of<'vote'>, bad: boolean): void {
    const values = effect.guards.map(({ step }) => [step, { ok: !bad, more: 1 }]);
    this.say(this.run.ballot(effect, Object.fromEntries(values)));
  }

  /** People, at any moment, about any step. What cannot be is refused. */
  private meddle(): void {
    const dice = this.#dice;
    const refs = indexOf(this.run.state.plan).refs;
    const ref = refs[dice.roll(refs.length)];
    const of = { step: ref?.leaf.id ?? '', host: ref?.host ?? undefined, by: AYSE, note: 'n' };
    const by = dice.pick(PEOPLE);
    const choices: [() => Input, ...(() => Input)[]] = [
      () => ({ type: 'approve', step: this.wanted() ?? of.step, by, note: undefined }),
      () => ({ type: 'approve', step: this.wanted() ?? of.step, by, note: undefined }),
      () => ({ type: 'confirm', step: this.wanted() ?? of.step, by, note: 'n' }),
      () => ({ type: 'resume', by, note: undefined }),
      () => ({ type: 'resume', by, note: undefined }),
      () => ({ type: 'pause', by, note: undefined }),
      () => ({ type: 'retry', ...of }),
      () => ({ type: 'skip', ...of }),
      () => ({ type: 'reject', step: of.step, by, note: 'no' }),
      () => ({ type: 'adjust', step: of.step, by, note: 'n', timeoutMs: 60_000, until: { more: { equals: 1 } } }),
      () => ({ type: 'take', by }),
      () => (dice.chance(1, 4) ? { type: 'drop', host: of.host ?? 'h1', by, note: 'n' } : { type: 'acknowledge', by }),
      () => (dice.chance(1, 2) ? { type: 'abort', mode: 'undo', by, note: 'n' } : { type: 'note', by, text: 'n' }),
    ];
    this.say(dice.pick(choices)());
  }

  private wanted(): string | undefined {
    const refs = indexOf(this.run.state.plan).refs;
    return refs.find((ref) => {
      const { work, phase } = cellOf(this.run.state, ref);
      const waits = phase === 'gated' || phase === 'compensating';
      return waits && (work?.kind === 'approval' || work?.kind === 'manual');
    })?.leaf.id;
  }

  /** Somebody looks at the host and says, truthfully, what became of an outcome that no report tells. */
  private settleUnknown(): void {
    this.world.repeatAll();
    while (this.world.wire.length > 0) this.hear(0);
    for (const ref of indexOf(this.run.state.plan).refs) {
      const cell = cellOf(this.run.state, ref);
      if (cell.phase !== 'unknown' || ref.host === null || this.world.isBusyWith(cell.step, cell.host)) continue;
      const mark = this.world.marks.get(ref.key);
      const done = cell.direction === 'undo' && !ref.onlyUndo ? mark === undefined : mark === 'applied';
      this.say({
        type: 'resolve',
        step: cell.step,
        host: ref.host,
        as: done ? 'succeeded' : 'not-done',
        by: AYSE,
        note: 'seen',
      });
    }
  }

  private answerAll(): void {
    for (const effect of this.run.effects('watch')) if (effect.use !== 'fence') this.answerWatch(effect);
    for (const effect of this.run.effects('record')) this.say({ ...at(effect), type: 'recorded', values: {} });
    for (const effect of this.run.effects('vote')) this.answerVote(effect, false);
    for (const by of PEOPLE) {
      const step = this.wanted();
      if (step === undefined) continue;
      this.say({ type: 'approve', step, by, note: undefined });
      this.say({ type: 'confirm', step, by, note: 'n' });
    }
  }

  /** What holds the run is decided: undone by hand, tried again, or resumed. */
  private decideAll(): void {
    if (this.run.status === 'paused') this.say({ type: 'resume', by: AYSE, note: undefined });
    if (this.run.status !== 'held') return;
    for (const { cause, step = '', host = null, failure } of blockers(this.run.state)) {
      const of = { step, host: host ?? undefined, by: AYSE, note: 'n' };
      if (cause === 'undo-failed' && failure.code === 'SB-STEP-NO-UNDO') {
        this.world.marks.delete(`${step}@${host ?? '-'}`);
        this.say({ type: 'resolve', ...of, as: 'succeeded' });
      } else if (cause === 'failed' || cause === 'undo-failed') {
        this.say({ type: 'retry', ...of });
      }
    }
    if (!isMoving(this.run.state)) this.say({ type: 'resume', by: AYSE, note: undefined });
  }

  private say(input: Input): void {
    this.story.push(JSON.stringify(input));
    this.run.random = 0;
    try {
      this.run.send(input);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code === 'SB-RUN-LOG') throw error;
    }
    this.oracle.look(this.run, input);
  }

  /** Where everything stands, for a person who looks at a failed test. */
  picture(): string {
    const cells = indexOf(this.run.state.plan).refs.map((ref) => {
      const { phase, direction, applied, broken } = cellOf(this.run.state, ref);
      return `${ref.key} ${ref.leaf.kind} ${direction} ${phase}${applied ? ' applied' : ''}${broken ? ' broken' : ''}`;
    });
    return [...cells, ...this.story.slice(-30)].join('\n');
  }
}

function at({ step, host }: { step: string; host: string }) {
  return { step, host };
}
