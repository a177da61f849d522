import {
  DEFAULTS,
  type Failure,
  isJsonObject,
  isRefusedByPolicy,
  type Json,
  type JsonObject,
  type LeafStep,
  type Observation,
  type Plan,
  type PlanStep,
  SignalboxError,
} from '@signalbox/protocol';
import { valueText } from '../screens/values.ts';
import type { MeshClient } from './client.ts';
import { isAboutReaching } from './errors.ts';

/** What a host says against a step, now. */
export interface Problem {
  readonly step: string;
  readonly host: string;
  readonly failure: Failure;
}

export interface Look {
  readonly observed: Observation[];
  readonly problems: Problem[];
}

/** Hosts that are asked at once; each is asked one thing at a time. */
const AT_ONCE = 16;
const LOOK_MS = 20_000;

/**
 * Looks at the real hosts without changing anything: each action is checked, each probe sampled once. What depends on
 * what the run itself will find out cannot be looked at yet and is left out.
 */
export async function lookAtHosts(client: MeshClient, plan: Plan): Promise<Look> {
  const questions = plan.steps.flatMap(leavesOf).flatMap(questionsOf);
  const queues = [...groupByHost(questions).values()];
  const looks: Look[] = [];
  const worker = async () => {
    for (let queue = queues.shift(); queue; queue = queues.shift()) looks.push(await askInTurn(client, queue));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const order = new Map(questions.map(({ step, host }, i) => [`${step}@${host}`, i]));
  const inOrder = (a: { step: string; host: string }, b: { step: string; host: string }) =>
    (order.get(`${a.step}@${a.host}`) ?? 0) - (order.get(`${b.step}@${b.host}`) ?? 0);
  return {
    observed: looks.flatMap((look) => look.observed).sort(inOrder),
    problems: looks.flatMap((look) => look.problems).sort(inOrder),
  };
}

interface Question {
  readonly step: string;
  readonly host: string;
  readonly with: JsonObject;
  readonly ask:
    | { readonly kind: 'check'; readonly action: string }
    | { readonly kind: 'sample'; readonly probe: string };
  /** Values that the screen names. */
  readonly keys: readonly string[];
}

function leavesOf(step: PlanStep): LeafStep[] {
  return step.kind === 'group' ? step.children.flatMap(leavesOf) : [step];
}

function questionsOf(leaf: LeafStep): Question[] {
  if (leaf.skip !== undefined) return [];
  if (leaf.kind === 'action') {
    return leaf.targets
      .filter((target) => !waitsForRun(target.with))
      .map(({ host, with: input }) => ({
        step: leaf.id,
        host,
        with: input,
        ask: { kind: 'check', action: leaf.action },
        keys: [],
      }));
  }
  if (leaf.kind !== 'gate' && leaf.kind !== 'record') return [];
  const targets = leaf.kind === 'gate' ? leaf.targets : leaf.targets.map((target) => ({ ...target, until: {} }));
  return targets
    .filter((target) => !waitsForRun(target.with))
    .map(({ host, with: input, until }) => ({
      step: leaf.id,
      host,
      with: input,
      ask: { kind: 'sample', probe: leaf.probe },
      keys: Object.keys(until),
    }));
}

/** A value that only the run can know stands somewhere inside. */
function waitsForRun(value: Json): boolean {
  if (Array.isArray(value)) return value.some(waitsForRun);
  if (!isJsonObject(value)) return false;
  return '$step' in value || '$run' in value || '$join' in value || Object.values(value).some(waitsForRun);
}

async function askInTurn(client: MeshClient, questions: readonly Question[]): Promise<Look> {
  const look: Look = { observed: [], problems: [] };
  // The same probe of the same thing is asked once; several gates may wait for it.
  const samples = new Map<string, Taken>();
  for (const question of questions) {
    if (question.ask.kind === 'check') await check(client, question, look);
    else await sample(client, question, { look, samples });
  }
  return look;
}

async function check(client: MeshClient, { step, host, with: input, ask }: Question, look: Look): Promise<void> {
  if (ask.kind !== 'check') return;
  try {
    const { checkTimeoutMs: timeoutMs } = DEFAULTS;
    const body = { host, action: ask.action, with: input, timeoutMs };
    const { result } = await client.ask('check', body, timeoutMs + 5_000);
    look.observed.push({
      step,
      host,
      seen: result.before,
      ...(result.note === undefined ? {} : { note: result.note }),
    });
    for (const failure of result.problems) look.problems.push({ step, host, failure });
  } catch (error) {
    look.problems.push({ step, host, failure: failureOrThrow(error) });
  }
}

interface Taken {
  readonly values?: JsonObject;
  /** The host's owner does not want it looked at: no earlier step changes that. */
  readonly refused?: Failure;
}

/** A probe that cannot be sampled now is told, but stops nothing: the step before it may be what makes it possible. */
async function sample(
  client: MeshClient,
  { step, host, with: input, ask, keys }: Question,
  { look, samples }: { look: Look; samples: Map<string, Taken> },
): Promise<void> {
  if (ask.kind !== 'sample') return;
  const key = JSON.stringify([ask.probe, input]);
  const taken = samples.get(key) ?? (await sampleOnce(client, { host, probe: ask.probe, with: input }));
  samples.set(key, taken);
  if (taken.refused) look.problems.push({ step, host, failure: taken.refused });
  const seen = taken.values;
  if (seen === undefined) {
    look.observed.push({ step, host, seen: {}, note: 'no sample now' });
    return;
  }
  const note = keys.map((name) => `${name} ${valueText(seen[name])}`).join(', ');
  look.observed.push({ step, host, seen, ...(note === '' ? {} : { note }) });
}

async function sampleOnce(
  client: MeshClient,
  question: { host: string; probe: string; with: JsonObject },
): Promise<Taken> {
  try {
    return { values: (await client.ask('sample', { ...question, timeoutMs: LOOK_MS }, LOOK_MS + 5_000)).values };
  } catch (error) {
    const failure = failureOrThrow(error);
    return isRefusedByPolicy(failure) ? { refused: failure } : {};
  }
}

/** What a host answered; a mesh that is gone ends the whole command. */
function failureOrThrow(error: unknown): Failure {
  if (!(error instanceof SignalboxError) || isAboutReaching(error.failure)) throw error;
  return error.failure;
}

function groupByHost(questions: readonly Question[]): Map<string, Question[]> {
  const groups = new Map<string, Question[]>();
  for (const question of questions) groups.set(question.host, [...(groups.get(question.host) ?? []), question]);
  return groups;
}
