import type {
  Actor,
  Condition,
  Direction,
  Failure,
  HoldReason,
  Json,
  JsonObject,
  OutcomeReport,
  Plan,
  RunEvent,
} from '@signalbox/protocol';
import { describeBroken, judge } from '@signalbox/protocol';
import type { Cell, Phase, Stamp } from '../cell.ts';
import { cellKey } from '../cell.ts';
import { decide } from '../decide.ts';
import { evolveEntry, initialState } from '../evolve.ts';
import type { Input } from '../inputs.ts';
import { type Effect, pending } from '../pending.ts';
import type { RunState } from '../state.ts';
import { indexOf } from '../tree.ts';

export const AYSE: Actor = { name: 'ayse', key: 'K-ayse', role: 'operator' };
export const CAN: Actor = { name: 'can', key: 'K-can', role: 'approver' };
export const MEHMET: Actor = { name: 'mehmet', key: 'K-mehmet', role: 'approver' };

export const BROKE: Failure = { code: 'SB-TEST-BROKE', class: 'terminal', message: 'it broke', next: 'mend it' };
export const BUSY: Failure = { code: 'SB-TEST-BUSY', class: 'retryable', message: 'it is busy', next: 'wait' };
export const LOST: Failure = { code: 'SB-TEST-LOST', class: 'unknown', message: 'lost track', next: 'look' };

type Outcome = OutcomeReport['outcome'];
type Entry = Stamp & { readonly events: RunEvent[] };

/**
 * One run, driven by hand: every call is one input, what it leads to goes into a log, and the state is what that log
 * folds to. Reports are about the present try unless they say otherwise.
 */
export class TestRun {
  state: RunState;
  readonly log: Entry[] = [];
  /** Wall clock and run time begin apart, so that a test notices when one is taken for the other. */
  atMs = 1_000_000;
  runMs = 0;
  random = 0;
  #read: RunState;

  constructor(plan: Plan) {
    this.state = initialState('book-1', plan);
    this.#read = initialState('book-1', JSON.parse(JSON.stringify(plan)));
  }

  static start(plan: Plan, { by = AYSE }: { by?: Actor } = {}): TestRun {
    const run = new TestRun(plan);
    run.send({ type: 'create', by, planHash: 'hash' });
    run.send({ type: 'lead', coordinator: 'c1', epoch: 1, nonce: 'n1' });
    return run;
  }

  /** One input. Answers with the types of the events that it led to. */
  send(input: Input): string[] {
    const now = { atMs: this.atMs, runMs: this.runMs, random: this.random };
    const events = decide(this.state, input, now);
    if (events.length > 0) this.append({ atMs: this.atMs, runMs: this.runMs, events });
    return events.map((event) => event.type);
  }

  /** Folds a log entry twice: as it is, and as another process reads it. Both must want the same of the world [D5]. */
  append(entry: Entry): void {
    this.log.push(entry);
    this.state = evolveEntry(this.state, entry);
    this.#read = evolveEntry(this.#read, JSON.parse(JSON.stringify(entry)));
    const [wanted, read] = [pending(this.state), pending(this.#read)].map((effects) => JSON.stringify(effects));
    if (wanted !== read) throw new Error(`the log read back wants something else:\n${wanted}\n${read}`);
  }

  /** Time passes, and the leader looks at its clock. */
  pass(ms: number): string[] {
    this.atMs += ms;
    this.runMs += ms;
    return this.send({ type: 'tick' });
  }

  accepted(step: string, host: string, before: JsonObject | undefined = undefined): string[] {
    return this.send({ type: 'accepted', ...this.present(step, host), before });
  }

  outcome(step: string, host: string, outcome: Outcome): string[] {
    return this.send({ type: 'outcome', ...this.present(step, host), outcome, durationMs: 5 });
  }

  done(step: string, host: string, receipt?: JsonObject): string[] {
    return this.outcome(step, host, { status: 'succeeded', ...(receipt ? { receipt } : {}) });
  }

  failed(step: string, host: string, failure: Failure = BROKE): string[] {
    return this.outcome(step, host, { status: 'failed', failure });
  }

  probed(step: string, host: string, probed: Extract<Outcome, { status: 'unknown' }>['probed']): string[] {
    return this.outcome(step, host, { status: 'unknown', failure: LOST, probed });
  }

  refused(step: string, host: string, failure: Failure = BROKE): string[] {
    return this.send({ type: 'refused', ...this.present(step, host), failure });
  }

  /** The host confirms what it is asked to withdraw now. */
  withdrawn(): string[] {
    const commands = this.effects('void').flatMap((effect) => effect.commands);
    return this.send({ type: 'withdrawn', commands });
  }

  silent(host: string): string[] {
    return this.send({ type: 'silent', host, lastSeenAtMs: this.atMs });
  }

  met(step: string, host: string, values: Record<string, Json> = { ok: true }): string[] {
    return this.send({ type: 'gateMet', step, host, values, heldMs: 0 });
  }

  failIf(step: string, host: string): string[] {
    return this.send({ type: 'gateFailed', step, host, values: {}, why: 'it crashed', kind: 'failIf' });
  }

  broke(fence: string, host: string): string[] {
    return this.send({ type: 'fenceBroke', step: fence, host, values: { ok: false }, why: 'ok false' });
  }

  recorded(step: string, host: string, values: Record<string, Json>): string[] {
    return this.send({ type: 'recorded', step, host, values });
  }

  proven(step: string, host: string): string[] {
    return this.send({ type: 'proven', step, host });
  }

  /** Every host that is asked votes yes, as long as its guards hold; `values` by guard, all good unless said otherwise. */
  voted(values: Record<string, Record<string, Json> | undefined> = {}): string[] {
    return this.effects('vote').flatMap((effect) => this.send(this.ballot(effect, values)));
  }

  /** What a host votes on these values. */
  ballot(
    { host, step, round, roundNonce, guards }: Extract<Effect, { type: 'vote' }>,
    values: Record<string, Record<string, Json> | undefined> = {},
  ): Extract<Input, { type: 'voted' }> {
    const evidence = guards.map((guard) => {
      const found = guard.step in values ? values[guard.step] : { ok: true };
      if (!found) return { step: guard.step, why: 'no sample' };
      const window = [guard.seed, found].map((sample, i) => ({ atMs: i, values: sample }));
      const broken = judge(guard.until, window).find(({ breaks }) => breaks);
      return { step: guard.step, values: found, ...(broken ? { why: describeBroken(broken) } : {}) };
    });
    const vote = evidence.some(({ why }) => why !== undefined) ? 'no' : 'yes';
    return { type: 'voted', host, step, round, roundNonce, vote, journalSequence: 7, evidence };
  }

  approve(step: string, by: Actor = CAN): string[] {
    return this.send({ type: 'approve', step, by, note: undefined });
  }

  reject(step: string, by: Actor = CAN): string[] {
    return this.send({ type: 'reject', step, by, note: 'no' });
  }

  confirm(step: string): string[] {
    return this.send({ type: 'confirm', step, by: AYSE, note: 'done' });
  }

  pause(): string[] {
    return this.send({ type: 'pause', by: AYSE, note: undefined });
  }

  resume(): string[] {
    return this.send({ type: 'resume', by: AYSE, note: undefined });
  }

  retry(step: string, host?: string): string[] {
    return this.send({ type: 'retry', step, host, by: AYSE, note: 'again' });
  }

  skip(step: string, host?: string): string[] {
    return this.send({ type: 'skip', step, host, by: AYSE, note: 'skip it' });
  }

  resolve(step: string, as: 'succeeded' | 'not-done', host?: string): string[] {
    return this.send({ type: 'resolve', step, as, host, by: AYSE, note: 'seen' });
  }

  drop(host: string): string[] {
    return this.send({ type: 'drop', host, by: AYSE, note: 'dead' });
  }

  abort(mode: 'undo' | 'leave' = 'undo'): string[] {
    return this.send({ type: 'abort', mode, by: AYSE, note: 'stop' });
  }

  adjust(step: string, change: { timeoutMs?: number; addTimeoutMs?: number; until?: Condition }): string[] {
    return this.send({ type: 'adjust', step, by: AYSE, note: 'more', ...change });
  }

  get status(): RunState['status'] {
    return this.state.status;
  }

  /** `failed step-a`, `conflict step-b`: why the run is held. */
  get why(): string[] {
    return this.state.reasons.map(({ cause, step }: HoldReason) => (step === undefined ? cause : `${cause} ${step}`));
  }

  cell(step: string, host: string | null = null): Cell {
    const cell = this.state.cells.get(cellKey(step, host));
    if (!cell) throw new Error(`no cell ${step}@${host}`);
    return cell;
  }

  phase(step: string, host: string | null = null): Phase {
    return this.cell(step, host).phase;
  }

  effects<T extends Effect['type']>(type: T): Extract<Effect, { type: T }>[] {
    return pending(this.state).filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
  }

  /** What hosts are asked to do now: `stop@h1 do 1`. */
  get commands(): string[] {
    return this.effects('command').map(
      ({ step, host, direction, attempt }) => `${step}@${host} ${direction} ${attempt}`,
    );
  }

  get watches(): string[] {
    return this.effects('watch').map((watch) => watch.key);
  }

  get leftovers(): string[] {
    return this.state.leftovers.map(({ step, host, what }) => `${step}@${host ?? '-'}: ${what}`);
  }

  /** The present try, as its host's reports name it: a step `only: undo` is done, not undone, on the way back. */
  present(step: string, host: string) {
    const { direction, attempts } = this.cell(step, host);
    const ref = indexOf(this.state.plan).byKey.get(cellKey(step, host));
    const sent: Direction = ref?.onlyUndo ? 'do' : direction;
    return { step, host, direction: sent, attempt: attempts[direction] };
  }
}
