import type { RunEvent } from '@signalbox/protocol';
import { neededApprovals } from '../agreed.ts';
import { cellKey } from '../cell.ts';
import { evolve, initialState } from '../evolve.ts';
import type { Input } from '../inputs.ts';
import { isMoving, type RunState } from '../state.ts';
import type { Trigger } from '../transitions.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { cellOf } from '../walk.ts';
import type { TestRun } from './run.ts';

type Started = Extract<RunEvent, { type: 'StepStarted' }>;

/**
 * Reads the log of a run event by event, as somebody who knows the invariants but not how decisions are made.
 * Written without the walks of the sequencer on purpose: what stands before what is read from the plan again.
 */
export class Oracle {
  #state: RunState;
  #read = 0;
  #runMs = 0;
  readonly #ids = new Set<string>();
  /** `do failed reset`: every entry of the transition table that was used, for the test that all of them are. */
  readonly transitions = new Set<string>();

  constructor(run: TestRun) {
    this.#state = initialState(run.state.run, run.state.plan);
  }

  /** Looks at what the last input has led to. Throws with the invariant's number when it is broken. */
  look(run: TestRun, input: Input): void {
    for (const entry of run.log.slice(this.#read)) {
      this.#runMs = entry.runMs;
      for (const event of entry.events) {
        this.judge(event, input);
        const before = this.#state;
        this.#state = evolve(before, event, entry);
        for (const seen of transitionsOf(before, this.#state, event)) this.transitions.add(seen);
      }
    }
    this.#read = run.log.length;
  }

  private judge(event: RunEvent, input: Input): void {
    switch (event.type) {
      case 'StepStarted':
        this.judgeStart(event);
        return;
      case 'StepSucceeded':
        ensure(
          !['tick', 'silent', 'back', 'lead'].includes(input.type),
          `[I11] ${input.type} made ${event.step} succeed`,
        );
        return;
      case 'StepReset':
        this.judgeReset(event, input);
        return;
      case 'UndoStarted':
        ensure(this.#state.crossed.length === 0, '[I3] taken back after a point of no return');
        return;
      case 'Crossed':
        ensure(isMoving(this.#state), `crossed while ${this.#state.status}`);
        this.judgeVotes(event);
        return;
      default:
        return;
    }
  }

  private judgeStart(event: Started): void {
    const { step, host, direction, work } = event;
    const ref = indexOf(this.#state.plan).byKey.get(`${step}@${host ?? '-'}`);
    ensure(ref !== undefined, `no step ${step}`);
    const cell = cellOf(this.#state, ref);
    ensure(isMoving(this.#state), `${step} started while ${this.#state.status}`);
    ensure(cell.phase !== 'unknown' || cell.direction !== direction, `[I5] ${ref.key} again while unknown`);
    if (work.kind === 'command') {
      ensure(!this.#ids.has(work.id), `[I1] ${work.id} a second time`);
      this.#ids.add(work.id);
      this.judgeAgreed(ref);
    }
    if (direction === 'do') this.judgeBefore(ref);
    else this.judgeAfter(ref);
  }

  /** [I2] */
  private judgeBefore(ref: CellRef): void {
    const state = this.#state;
    ensure(state.direction === 'do', `${ref.key} done on the way back`);
    for (const other of indexOf(state.plan).refs) {
      if (other.position >= ref.position || other.onlyUndo || other.left || !inSequence(other, ref)) continue;
      if (other.host !== null && state.dropped.has(other.host)) continue;
      const { phase, broken } = cellOf(state, other);
      const sealed = indexOf(state.plan).refs.some(
        (r) => r.position > other.position && state.crossed.includes(r.leaf.id),
      );
      const over = phase === 'succeeded' || phase === 'skipped' || phase === 'dropped';
      ensure(
        over && (broken === undefined || sealed),
        `[I2] ${ref.key} before ${other.key}, which is ${phase} ${broken}`,
      );
    }
  }

  /** Hosts refuse what comes after an approval without the signatures of so many people. */
  private judgeAgreed(ref: CellRef): void {
    for (const { step, count } of neededApprovals(this.#state.plan, ref)) {
      const given = this.#state.cells.get(`${step}@-`)?.approvals.length ?? 0;
      ensure(given >= count, `${ref.key} started with ${given} of the ${count} approvals of ${step}`);
    }
  }

  /** [I3], and the reverse order of [I4]. */
  private judgeAfter(ref: CellRef): void {
    const state = this.#state;
    ensure(state.crossed.length === 0, `[I3] ${ref.key} undone`);
    const turned = state.direction === 'undo';
    ensure(turned || (ref.host !== null && state.dropping.has(ref.host)), `${ref.key} undone on the way forward`);
    for (const other of indexOf(state.plan).refs) {
      if (other.position <= ref.position || !inSequence(ref, other) || (!turned && other.host !== ref.host)) continue;
      if (other.host !== null && state.dropped.get(other.host)?.group === null) continue;
      const { phase, applied } = cellOf(state, other);
      const running = phase === 'dispatched' || phase === 'compensating';
      ensure(
        !running && !(applied && owesUndo(other)),
        `[I4] ${ref.key} undone before ${other.key}, which is ${phase}`,
      );
    }
  }

  /** [D4] Each host that has a guard voted yes in this very round, and the first vote that was asked for is still good. */
  private judgeVotes({ step, round }: Extract<RunEvent, { type: 'Crossed' }>): void {
    const state = this.#state;
    const cell = state.cells.get(`${step}@-`);
    ensure(cell?.work?.kind === 'round' && cell.work.round === round, `[D4] ${step} crossed without a round`);
    const age = this.#runMs - (cell.workSinceRunMs ?? 0);
    ensure(age < cell.work.validMs, `[D4] ${step} crossed on votes of ${age} ms ago`);
    const point = indexOf(state.plan).byKey.get(`${step}@-`)?.leaf;
    for (const { leaf, host } of indexOf(state.plan).refs) {
      if (point?.kind !== 'pointOfNoReturn' || !point.guards.includes(leaf.id) || host === null) continue;
      if (state.dropped.has(host) || (leaf.kind === 'gate' && leaf.validWhile.length > 0)) continue;
      ensure(state.votes.get(host)?.vote === 'yes', `[D4] ${step} crossed without ${host}, which has ${leaf.id}`);
    }
  }

  private judgeReset(event: Extract<RunEvent, { type: 'StepReset' }>, input: Input): void {
    const cell = this.#state.cells.get(`${event.step}@${event.host ?? '-'}`);
    if (cell?.phase !== 'unknown' || event.by !== undefined) return;
    const proven = input.type === 'withdrawn' || cell.probed === 'not-applied' || cell.probed === 'partial';
    ensure(proven, `[I5] ${event.step} forgotten without proof, after ${input.type}`);
  }
}

const TRIGGERS: Partial<Record<RunEvent['type'], Trigger>> = {
  StepSucceeded: 'succeed',
  StepFailed: 'fail',
  StepUnknown: 'unknown',
  StepSkipped: 'skip',
  StepReset: 'reset',
  UndoStarted: 'cancel',
  HostDropped: 'drop',
};

/** `do pending dispatch`: which entries of the table an event has used. */
function transitionsOf(before: RunState, after: RunState, event: RunEvent): string[] {
  if ('attempt' in event && event.type !== 'StepAccepted') {
    const phase = before.cells.get(cellKey(event.step, event.host))?.phase;
    const started = event.type === 'StepStarted' && (event.work.kind === 'command' ? 'dispatch' : 'wait');
    return [`${event.direction} ${phase} ${started || TRIGGERS[event.type]}`];
  }
  const trigger = TRIGGERS[event.type];
  if (trigger === undefined) return [];
  return [...before.cells.values()]
    .filter((cell) => after.cells.get(cell.key)?.phase !== cell.phase)
    .map((cell) => `${cell.direction} ${cell.phase} ${trigger}`);
}

/** Whether the way back has to undo this when it was applied. */
export function owesUndo({ leaf, onlyUndo }: CellRef): boolean {
  if (onlyUndo) return false;
  if (leaf.kind === 'manual') return leaf.changes !== false;
  return leaf.kind === 'action' && leaf.effect !== 'read' && (leaf.reversible || leaf.effect !== 'idempotent');
}

/** `a` comes before `b` in the plan and not beside it: the closest group around both is no parallel one. */
export function inSequence(a: CellRef, b: CellRef): boolean {
  if (a.leaf.id === b.leaf.id) return false;
  let around: string = 'serial';
  for (const [i, group] of a.groups.entries()) {
    if (b.groups[i] !== group) break;
    around = group.mode;
  }
  return around !== 'parallel';
}

function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
