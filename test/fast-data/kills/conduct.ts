import type { LeafStep, Plan, PlanStep, RunEvent } from '@signalbox/protocol';
import type { World } from '../world.ts';
import { stepOf } from './stage.ts';

/** Short beside the shortest step. */
const LOOK_MS = 25;
/** What an operator waits before another try: a host that is back is heard within a heartbeat. */
const RESUME_AFTER_MS = 2_000;
/** A run that was resumed so often for the same reason since the last kill has said what a person has to do, and will not go on by itself. */
const TRIES = 8;

export interface Ending {
  /** `completed`, `rolled-back`, or `held` when being asked again does not help. */
  readonly outcome: string;
  /** Why it was held, each reason once. */
  readonly held: readonly string[];
  readonly crossed: boolean;
}

export const leavesOf = (steps: readonly PlanStep[]): LeafStep[] =>
  steps.flatMap((step) => (step.kind === 'group' ? leavesOf(step.children) : [step]));

/**
 * Takes a run through as its people do: approvals when they are asked for, and `resume` when it is held. `strike` is called
 * once for each of the steps `at`, in order, as soon as it is under way, and has all the time it takes; a run that is being
 * taken back is left in peace.
 */
export async function conduct(
  world: World,
  run: string,
  { at, strike, patienceMs }: { at: readonly string[]; strike: (step: string) => Promise<void>; patienceMs: number },
): Promise<Ending> {
  const log = new Watched(world, run);
  const approvals = await approvalsOf(world, run);
  const waiting = new Set(at);
  let endMs = performance.now() + patienceMs;
  let resumeMs = 0;
  for (;;) {
    await log.read();
    const { last } = log;
    if (last?.type === 'Ended') return log.ending(last.outcome);
    const step = log.isUndone ? undefined : [...waiting].find((id) => log.hasStarted(id));
    if (step !== undefined) {
      waiting.delete(step);
      await strike(step);
      log.forgive();
      endMs = performance.now() + patienceMs;
      continue;
    }
    if (performance.now() > endMs) return log.ending(log.isNoFurther ? 'held' : 'stuck');
    if (last?.type !== 'Held') await approve(world, { run, events: log.events, approvals });
    else if (log.tries > TRIES) return log.ending('held');
    else if (performance.now() > resumeMs) {
      resumeMs = performance.now() + RESUME_AFTER_MS;
      await goOn(world, run, last.reasons);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** As `status --why` says it: a step that failed and would be left as it is is tried again by name. */
async function goOn(world: World, run: string, reasons: Extract<RunEvent, { type: 'Held' }>['reasons']): Promise<void> {
  const ask = (verb: 'resume' | 'retry', where: object) =>
    world.operator.ask(verb, { run, ...where }).then(
      () => true,
      () => false,
    );
  // An outcome that is not known yet is asked for by the coordinator itself, and lifts the hold.
  if (await ask('resume', {})) return;
  const failed = reasons.filter(({ cause }) => cause === 'failed');
  for (const { step, host } of failed) await ask('retry', { step, host, note: 'who was killed is back' });
}

const DECISIVE: readonly RunEvent['type'][] = ['Ended', 'Held', 'Resumed', 'HoldLifted', 'UndoStarted'];

/** The log of a run, and why it was held until now. */
class Watched {
  readonly events: RunEvent[] = [];
  readonly #held = new Set<string>();
  readonly #tries = new Map<string, number>();
  readonly #world: World;
  readonly #run: string;
  #read = 0;

  constructor(world: World, run: string) {
    this.#world = world;
    this.#run = run;
  }

  /** Nothing comes while nobody leads the run. */
  async read(): Promise<void> {
    const asked = { run: this.#run, from: this.#read, plan: false };
    const { entries } = await this.#world.operator.ask('log', asked).catch(() => ({ entries: [] }));
    this.#read += entries.length;
    for (const event of entries.flatMap(({ events }) => events)) {
      this.events.push(event);
      if (event.type !== 'Held') continue;
      for (const { cause, step, failure } of event.reasons) {
        const why = [cause, step, failure.code].filter((word) => word !== undefined).join(' ');
        this.#held.add(why);
        this.#tries.set(why, (this.#tries.get(why) ?? 0) + 1);
      }
    }
  }

  get last(): RunEvent | undefined {
    return this.events.findLast(({ type }) => DECISIVE.includes(type));
  }

  /** How often it was held for the reason that it was held for most often. */
  get tries(): number {
    return Math.max(0, ...this.#tries.values());
  }

  /** Held, or asked again for what it was held for, and no step further since: a gate waits long before it says so again. */
  get isNoFurther(): boolean {
    const held = this.events.findLastIndex(({ type }) => type === 'Held');
    return held >= 0 && this.events.slice(held).every(({ type }) => type !== 'StepSucceeded');
  }

  /** Whoever is killed anew gives reasons anew. */
  forgive(): void {
    this.#tries.clear();
  }

  get isUndone(): boolean {
    return this.events.some(({ type }) => type === 'UndoStarted');
  }

  hasStarted(at: string): boolean {
    return this.events.some((event) => event.type === 'StepStarted' && stepOf(event.step) === at);
  }

  ending(outcome: string): Ending {
    return { outcome, held: [...this.#held], crossed: this.events.some(({ type }) => type === 'Crossed') };
  }
}

type Who = 'operator' | 'approvers';
type Approvals = ReadonlyMap<string, Who>;

/** Who is asked by which step of the plan. */
async function approvalsOf(world: World, run: string): Promise<Approvals> {
  const { plan = '' } = await world.operator.ask('log', { run, from: 0, plan: true });
  const { steps }: Plan = JSON.parse(plan);
  const approvals = new Map<string, Who>();
  for (const leaf of leavesOf(steps)) {
    if (leaf.kind === 'approval') approvals.set(leaf.id, 'operator');
    if (leaf.kind === 'pointOfNoReturn' && leaf.approve) approvals.set(leaf.id, 'approvers');
  }
  return approvals;
}

async function approve(
  world: World,
  { run, events, approvals }: { run: string; events: readonly RunEvent[]; approvals: Approvals },
): Promise<void> {
  for (const [step, who] of approvals) {
    const asked = events.findLastIndex((event) => event.type === 'StepStarted' && event.step === step);
    const [start, ...since] = asked < 0 ? [] : events.slice(asked);
    const waits = start?.type === 'StepStarted' && start.work.kind === 'approval';
    if (!waits || since.some((event) => OVER.includes(event.type) && 'step' in event && event.step === step)) continue;
    const voided = since.findLastIndex((event) => event.type === 'ApprovalVoided' && event.step === step);
    const given = since
      .slice(voided + 1)
      .flatMap((event) => (event.type === 'ApprovalGiven' && event.step === step ? [event.by.name] : []));
    for (const person of world.people(who)) {
      // A coordinator that was killed a moment ago does not answer: asked again.
      if (!given.includes(person.name)) await person.approve(run, step).catch(() => undefined);
    }
  }
}

const OVER: readonly RunEvent['type'][] = ['StepSucceeded', 'StepFailed', 'StepReset', 'StepSkipped'];
