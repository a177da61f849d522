import { z } from 'zod';
import { Crossing, VoteGuard } from './command.ts';
import { Condition } from './condition.ts';
import { Failure } from './failure.ts';
import { Json, JsonObject } from './json.ts';
import { Direction, HostName, MeshName, RunId } from './names.ts';
import { SignedApproval, SignedStart } from './proof.ts';
import { Applied, VoteEvidence } from './report.ts';
import { wire } from './wire.ts';

/** A person at a terminal, by name and by the key that signed the request. */
export type Actor = z.infer<typeof Actor>;
export const Actor = wire({ name: z.string(), key: z.string(), role: z.string().optional() });

/** What a started step asks for. Whole bodies: the same effects come out of the log after any restart. */
export type Work = z.infer<typeof Work>;
export const Work = z.discriminatedUnion('kind', [
  wire({
    kind: z.literal('command'),
    id: z.string(),
    action: z.string(),
    version: z.int(),
    with: JsonObject,
    receipt: JsonObject.optional(),
    notAfterMs: z.int(),
    timeoutMs: z.int(),
    /** What the point of no return before it was crossed for. */
    crossing: Crossing.optional(),
  }),
  /** Exclusive resources must be proven stopped elsewhere before the command goes out [I10]. */
  wire({
    kind: z.literal('proof'),
    guards: z.array(
      wire({ resource: z.string(), host: HostName, probe: z.string(), with: JsonObject, until: Condition }),
    ),
    deadlineRunMs: z.int(),
  }),
  wire({
    kind: z.literal('gate'),
    probe: z.string(),
    with: JsonObject,
    until: Condition,
    failIf: Condition.optional(),
    deadlineRunMs: z.int(),
  }),
  wire({ kind: z.literal('record'), probe: z.string(), with: JsonObject, deadlineRunMs: z.int() }),
  wire({ kind: z.literal('approval') }),
  wire({ kind: z.literal('manual'), text: z.string(), changes: z.literal(false).optional() }),
  /**
   * A point of no return: every host that has a guard of it, or that will do what it is crossed for, votes in this round
   * [D4]. A yes may be relied on for `validMs` from this entry on.
   */
  wire({
    kind: z.literal('round'),
    round: z.int(),
    roundNonce: z.string(),
    validMs: z.int(),
    voters: z.array(wire({ host: HostName, guards: z.array(VoteGuard) })),
    deadlineRunMs: z.int(),
  }),
]);

const Try = { step: z.string(), host: HostName.nullable(), direction: Direction, attempt: z.int().min(1) };

/** The message that says so, as its host signed it. Kept where an action takes values from the step. */
const Sealed = z.string().optional();

/** Who or what established an outcome. */
export type Via = z.infer<typeof Via>;
export const Via = z.enum(['report', 'probe', 'operator', 'sample']);

export type HoldReason = z.infer<typeof HoldReason>;
export const HoldReason = wire({
  /** `unknown` is lifted by the outcome becoming known; every other cause waits for an operator. */
  cause: z.enum(['unknown', 'failed', 'gate', 'fence', 'undo-failed', 'deadline', 'rejected', 'conflict', 'manual']),
  step: z.string().optional(),
  host: HostName.nullable().optional(),
  /** Of a conflict: the try that the contradicting report is about. */
  direction: Direction.optional(),
  attempt: z.int().optional(),
  failure: Failure,
});

export type Leftover = z.infer<typeof Leftover>;
export const Leftover = wire({
  step: z.string(),
  host: HostName.nullable(),
  what: z.string(),
  byHand: z.string().optional(),
});

/** What happened in a run. Facts only; what follows from them is computed. */
export type RunEvent = z.infer<typeof RunEvent>;
export const RunEvent = z.discriminatedUnion('type', [
  wire({
    type: z.literal('RunCreated'),
    mesh: MeshName,
    runbook: z.string(),
    planHash: z.string(),
    by: Actor,
    /** The start that this is the run of. */
    start: z.string().optional(),
    /** That its plan was to be carried out, as it was signed. */
    signed: SignedStart.optional(),
    note: z.string().optional(),
    /** Drift that the operator accepted at the start. */
    accepted: z.array(z.string()).optional(),
  }),
  wire({ type: z.literal('Led'), coordinator: z.string(), epoch: z.int(), nonce: z.string() }),
  wire({ type: z.literal('StepStarted'), ...Try, work: Work }),
  wire({ type: z.literal('StepAccepted'), ...Try, before: JsonObject.optional(), sealed: Sealed }),
  wire({
    type: z.literal('StepSucceeded'),
    ...Try,
    via: Via,
    receipt: JsonObject.optional(),
    values: z.record(z.string(), Json).optional(),
    durationMs: z.number().optional(),
    by: Actor.optional(),
    note: z.string().optional(),
    sealed: Sealed,
  }),
  wire({
    type: z.literal('StepFailed'),
    ...Try,
    failure: Failure,
    /** True when it is proven that nothing was done (refused, void): there is nothing to undo. */
    unapplied: z.boolean().optional(),
    receipt: JsonObject.optional(),
    values: z.record(z.string(), Json).optional(),
    durationMs: z.number().optional(),
    sealed: Sealed,
  }),
  wire({ type: z.literal('StepUnknown'), ...Try, failure: Failure, probed: Applied.optional() }),
  wire({ type: z.literal('StepSkipped'), ...Try, by: Actor.optional(), reason: z.string() }),
  /** Back to pending with the next attempt; earlier attempts that were not accepted are void [D2]. */
  wire({
    type: z.literal('StepReset'),
    ...Try,
    reason: z.string(),
    notBeforeRunMs: z.int().optional(),
    by: Actor.optional(),
  }),
  wire({
    type: z.literal('GateAdjusted'),
    step: z.string(),
    timeoutMs: z.int().optional(),
    until: Condition.optional(),
    by: Actor,
    note: z.string(),
  }),
  wire({
    type: z.literal('FenceBroken'),
    step: z.string(),
    host: HostName,
    values: z.record(z.string(), Json),
    why: z.string(),
    /** Nobody could look: it may still be true [I11]. `values` are none then. */
    unseen: z.literal(true).optional(),
    sealed: Sealed,
  }),
  wire({
    type: z.literal('ApprovalGiven'),
    step: z.string(),
    by: Actor,
    note: z.string().optional(),
    /** Kept whole: commands behind it carry it. */
    signed: SignedApproval.optional(),
  }),
  wire({ type: z.literal('ApprovalRejected'), step: z.string(), by: Actor, note: z.string() }),
  wire({ type: z.literal('ApprovalVoided'), step: z.string(), reason: z.string() }),
  /** A host's vote in the open round, and where it stands in the host's journal. */
  wire({
    type: z.literal('VoteGiven'),
    step: z.string(),
    round: z.int(),
    host: HostName,
    vote: z.enum(['yes', 'no']),
    journalSequence: z.int(),
    evidence: z.array(VoteEvidence),
    why: z.string().optional(),
  }),
  /** The point of no return is behind the run: nothing before it is ever compensated [I3]. */
  wire({
    type: z.literal('Crossed'),
    ...Crossing.shape,
    evidence: z.array(wire({ host: HostName, ...VoteEvidence.shape })),
  }),
  wire({ type: z.literal('HostSilent'), host: HostName, lastSeenAtMs: z.int().optional() }),
  wire({ type: z.literal('HostBack'), host: HostName }),
  /** A host failed within a batch's limit: undone inside the group, then dropped for the rest of the run. */
  wire({ type: z.literal('HostDropping'), host: HostName, group: z.string(), failure: Failure }),
  wire({
    type: z.literal('HostDropped'),
    host: HostName,
    group: z.string().nullable(),
    by: Actor.optional(),
    reason: z.string(),
  }),
  wire({ type: z.literal('Held'), reasons: z.array(HoldReason) }),
  /** The only cause of the hold was an outcome that is known now. */
  wire({ type: z.literal('HoldLifted') }),
  wire({ type: z.literal('Paused'), by: Actor, note: z.string().optional() }),
  wire({ type: z.literal('Resumed'), by: Actor, note: z.string().optional() }),
  wire({
    type: z.literal('UndoStarted'),
    reason: Failure,
    step: z.string().optional(),
    host: HostName.nullable().optional(),
    /** The last step that stays: the run is held when everything after it has been taken back. */
    to: z.string().optional(),
    by: Actor.optional(),
  }),
  wire({
    type: z.literal('Ended'),
    outcome: z.enum(['completed', 'rolled-back', 'aborted']),
    leftovers: z.array(Leftover),
  }),
  wire({ type: z.literal('RunClosed') }),
  wire({ type: z.literal('NoteAdded'), by: Actor, text: z.string() }),
  wire({ type: z.literal('OwnerTaken'), by: Actor }),
  wire({ type: z.literal('PageAcknowledged'), by: Actor }),
  wire({ type: z.literal('BudgetPassed'), clock: z.string(), budgetMs: z.int() }),
]);
export type RunEventType = RunEvent['type'];

/** One message of the run log: all events of one decision, so they are atomic. */
export type LogEntry = z.infer<typeof LogEntry>;
export const LogEntry = wire({
  v: z.literal(1),
  run: RunId,
  /** 0, 1, 2, ... */
  index: z.int().min(0),
  epoch: z.int().min(0),
  /** SHA-256 of the previous entry's exact bytes; empty for the first. */
  previous: z.string(),
  atMs: z.int(),
  /** Run time: what the leaders' monotonic clocks measured while the run was led. */
  runMs: z.int(),
  events: z.array(RunEvent),
});
