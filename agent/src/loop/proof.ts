import { isDeepStrictEqual } from 'node:util';
import {
  Answer,
  type Command,
  type Failure,
  fillInObject,
  type Json,
  type JsonObject,
  type Known,
  type OperatorCertificate,
  PlannedAction,
  type PlanSignature,
  type Proof,
  Report,
  SignalboxError,
  type Source,
  STARTERS,
  type StepReference,
  valueAt,
} from '@signalbox/protocol';
import { isInTree, open, readApprovalSignature, readCertificate, readPlanSignature } from '@signalbox/protocol/crypto';
import { agentError } from '../codes.ts';
import { type JournalState, stepKey, strangeIn } from '../journal/state.ts';
import { createAgreements } from './agreed.ts';

export interface Anchors {
  readonly mesh: string;
  /** Public key of who vouches for operators. */
  readonly authority: string;
  readonly nowMs: () => number;
}

/** An operator has asked for a command with that start; or why nobody has. */
export type Asked =
  | { readonly start: string; readonly approved: readonly string[]; readonly failure?: never }
  | { readonly failure: Failure; readonly start?: never };

/** Who is behind a command, whatever the coordinator says. */
export type Proofs = (state: JournalState, command: Command) => Asked;

/** Signatures that were found good lately: every command of a run brings the same two. */
const KEEP = 64;

/**
 * A command has been asked for when a plan that an operator signed, with a key that the authority of the mesh vouches for,
 * has this host do this [D1]. Values that it takes from other steps have to be signed by the hosts that gave them.
 */
export function createProofs({ mesh, authority, nowMs }: Anchors): Proofs {
  const people = remember((text) => readCertificate(text, authority));
  const agreements = createAgreements(people, remember(readApprovalSignature));

  function signatureOf(
    state: JournalState,
    { planHash, run }: Command,
    { proof, person }: { proof: Proof; person: OperatorCertificate },
  ): PlanSignature {
    if (person.mesh !== mesh) throw unproven(`the certificate of ${person.name} is for mesh ${person.mesh}`);
    if (!STARTERS.has(person.role))
      throw unproven(`${person.name} is ${person.role}, and nothing is done in that name`);
    const signature = signatures(proof.signature, person.key);
    if (signature.mesh !== mesh) throw unproven(`the plan was signed for mesh ${signature.mesh}`);
    if (signature.plan !== planHash) throw unproven(`${person.name} has signed another plan`);
    const begun = state.starts.get(signature.start) === run;
    if (!begun && person.expiresAtMs <= nowMs()) throw unproven(`the certificate of ${person.name} has ended`);
    return signature;
  }
  const signatures = remember(readPlanSignature);

  return (state, command) => {
    try {
      const { proof } = command;
      if (proof === undefined) throw unproven('it carries no proof');
      const starter = people(proof.certificate);
      const signature = signatureOf(state, command, { proof, person: starter });
      const { start, actions } = signature;
      if (!isInTree(actions, proof.action, proof.path)) throw unproven('the plan does not have this action');
      const planned = plannedIn(proof.action);
      assertSame(state, command, planned);
      const back = command.direction === 'undo';
      if (back && wasDone(state, command)) return { start, approved: [] };
      const relied = state.runs.get(command.run)?.approved ?? new Set();
      const to = { signature, starter, nowMs: nowMs(), relied, back: back || planned.only === 'undo' };
      const missing = agreements(planned, proof.approvals ?? [], to);
      if (missing !== undefined) throw unproven(missing);
      return { start, approved: (planned.approvals ?? []).map(({ step }) => step) };
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      const { failure } = error.code === 'SB-AGENT-PROOF' ? error : unproven(error.message);
      return { failure };
    }
  };
}

/** A signature is for one run, whoever asks: it was given once. */
export function startFailure(state: JournalState, { run }: Command, asked: Asked): Failure | undefined {
  if (asked.failure) return asked.failure;
  const first = state.starts.get(asked.start);
  return first === undefined || first === run
    ? undefined
    : unproven(`that start was signed once, for ${first}`).failure;
}

/** What of it is written down with the intent. */
export function keptOf(asked: Asked | undefined): { start?: string; approved?: string[] } {
  if (asked?.start === undefined) return {};
  const { start, approved } = asked;
  return { start, ...(approved.length > 0 ? { approved: [...approved] } : {}) };
}

function remember<A extends [text: string, ...more: string[]], T>(read: (...args: A) => T): (...args: A) => T {
  const known = new Map<string, T>();
  return (...args) => {
    const key = args.join('\n');
    const found = known.get(key) ?? read(...args);
    if (known.size >= KEEP) known.clear();
    known.set(key, found);
    return found;
  };
}

function plannedIn(text: string): PlannedAction {
  try {
    return PlannedAction.parse(JSON.parse(text));
  } catch {
    throw unproven('the planned action has another form');
  }
}

function assertSame(state: JournalState, command: Command, planned: PlannedAction): void {
  for (const field of ['step', 'host', 'journal', 'machine', 'action', 'version'] as const) {
    if (command[field] !== planned[field])
      throw unproven(`${field} is ${command[field]}, and was signed as ${planned[field]}`);
  }
  if (!planned.directions.includes(command.direction)) throw unproven(`the plan has no ${command.direction} of it`);
  if (command.direction === 'do') assertCrossed(command, planned);
  if (command.receipt !== undefined) assertOwn(state, command, command.receipt);
  // What this host was told when it did the step was proven then.
  if (command.direction === 'undo' && wasDone(state, command)) return;
  const filled = fillInObject(planned.with, knownFrom(command, planned.sources ?? []));
  if (!isDeepStrictEqual(filled, command.with)) throw unproven('it asks for something else than was signed');
}

/** With this host's own vote: which that is, its journal says. */
function assertCrossed({ crossing, host }: Command, { behind }: PlannedAction): void {
  if (behind === undefined) return;
  const voted = crossing?.step === behind && crossing.votes.some((vote) => vote.host === host);
  if (!voted) throw unproven(`it was signed to come after ${behind}, and does not carry its votes`);
}

/** This step was done here, with the same input. */
function wasDone(state: JournalState, { run, step, with: input }: Command): boolean {
  const tries = state.steps.get(stepKey(run, step))?.accepted ?? [];
  return tries.some(({ id, direction }) => {
    const done = direction === 'do' ? state.commands.get(id)?.intent?.command : undefined;
    return done !== undefined && isDeepStrictEqual(done.with, input);
  });
}

/** A way back is told nothing that this host has not found or returned itself. */
function assertOwn(state: JournalState, { run, step }: Command, receipt: JsonObject): void {
  const [strange] = Object.keys(strangeIn(state, { run, step, receipt }));
  if (strange !== undefined) throw unproven(`this host has no receipt with that ${strange}`);
}

/** The values of other steps, from what their own hosts have signed. */
function knownFrom({ run, mesh, prerequisites = [] }: Command, sources: readonly Source[]): Known {
  const known: Known = {
    run,
    valueOf({ step, host, from, path }: StepReference): Json {
      const source = sources.find((candidate) => candidate.step === step && candidate.host === host);
      if (source === undefined) throw unproven(`the plan does not say where ${step} comes from`);
      const texts = prerequisites.map((text) => Buffer.from(text));
      const said = from === 'receipt' ? receiptIn(texts, source, { mesh, run }) : valuesIn(texts, source, known);
      const found = valueAt(said, path);
      if (found === undefined) throw unproven(`${host} has signed no ${path} of ${step}`);
      return found;
    },
  };
  return known;
}

function receiptIn(
  texts: readonly Uint8Array[],
  { step, host, key }: Source,
  { mesh, run }: { mesh: string; run: string },
): JsonObject {
  const reports = texts.flatMap((data) => signedBy(key, data, { kind: 'report', schema: Report }));
  const own = reports.filter((report) => report.mesh === mesh && report.run === run && report.host === host);
  const before = own.find((report) => report.type === 'accepted' && report.step === step && report.direction === 'do');
  const receipts = own.map((report) =>
    report.type === 'outcome' && report.step === step && report.direction === 'do' ? report.outcome.receipt : undefined,
  );
  return { ...(before?.type === 'accepted' ? before.before : undefined), ...receipts.findLast((r) => r !== undefined) };
}

function valuesIn(texts: readonly Uint8Array[], { host, key, sample }: Source, known: Known): JsonObject {
  if (sample === undefined) return {};
  const input = fillInObject(sample.with, known);
  const answers = texts.flatMap((data) => signedBy(key, data, { kind: 'answer', schema: Answer }));
  const fits = (answer: Answer) =>
    answer.verb === 'sample' &&
    answer.host === host &&
    answer.probe === sample.probe &&
    isDeepStrictEqual(answer.with, input);
  const answer = answers.findLast(fits);
  return answer?.verb === 'sample' ? answer.values : {};
}

/** The message, when it is of that kind and signed with that key. */
function signedBy<T>(
  key: string,
  data: Uint8Array,
  expect: Pick<Parameters<typeof open<T>>[1], 'kind' | 'schema'>,
): T[] {
  try {
    return [open(data, { ...expect, trusts: (by) => by === key }).payload];
  } catch (error) {
    if (error instanceof SignalboxError) return [];
    throw error;
  }
}

function unproven(why: string): SignalboxError {
  return agentError('SB-AGENT-PROOF', `nobody has asked for this: ${why}`);
}
