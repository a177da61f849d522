import { z } from 'zod';
import { LogHead } from './command.ts';
import { Critical } from './envelope.ts';
import { Failure } from './failure.ts';
import { Json, JsonObject } from './json.ts';
import { Direction, HostName, MeshName, RunId } from './names.ts';
import { wire } from './wire.ts';

/** What a probe of an action says about whether it was done. */
export type Applied = z.infer<typeof Applied>;
export const Applied = z.enum(['applied', 'not-applied', 'partial', 'in-progress', 'cannot-tell']);

/** How an execution ended. */
export type Outcome = z.infer<typeof Outcome>;
export const Outcome = z.discriminatedUnion('status', [
  wire({ status: z.literal('succeeded'), receipt: JsonObject.optional(), probed: z.boolean().optional() }),
  wire({ status: z.literal('failed'), failure: Failure, receipt: JsonObject.optional() }),
  /** The agent itself cannot say; `probed` is what the action's probe found after the crash [I5]. */
  wire({ status: z.literal('unknown'), failure: Failure, probed: Applied, receipt: JsonObject.optional() }),
]);

const ReportBase = {
  mesh: MeshName,
  run: RunId,
  host: HostName,
  journal: z.string(),
  machine: z.string(),
  /** Position in the agent's journal: grows by one a record. */
  journalSequence: z.int(),
  sentAtMs: z.int(),
  epoch: z.int(),
  critical: Critical,
};

/** What a host found when it looked at one guard. No values: it could not be measured. */
export type VoteEvidence = z.infer<typeof VoteEvidence>;
export const VoteEvidence = wire({
  step: z.string(),
  values: z.record(z.string(), Json).optional(),
  /** Why it does not hold. */
  why: z.string().optional(),
});

const OfCommand = { commandId: z.string(), step: z.string(), direction: Direction, attempt: z.int() };

/** What an agent says about commands and controls. Signed by the host's key, kept in the journal until the stream has it. */
export type Report = z.infer<typeof Report>;
export const Report = z.discriminatedUnion('type', [
  /** Intent is on disk; the action starts now. `before` is what undo will need. */
  wire({ type: z.literal('accepted'), ...ReportBase, ...OfCommand, before: JsonObject.optional() }),
  wire({
    type: z.literal('outcome'),
    ...ReportBase,
    ...OfCommand,
    outcome: Outcome,
    startedAtMs: z.int(),
    durationMs: z.number(),
    /** Marked gaps are possible in published output; this is what was written in all. */
    outputBytes: z.int(),
  }),
  /** Nothing was done, and this command never will be. */
  wire({ type: z.literal('refused'), ...ReportBase, ...OfCommand, failure: Failure }),
  wire({
    type: z.literal('control'),
    ...ReportBase,
    controlId: z.string(),
    control: z.string(),
    /** For `void`: those that were withdrawn before they began; the rest had begun or ended. */
    withdrawn: z.array(z.string()).optional(),
    /** For `fence`: every command id of the run that the journal has. */
    known: z.array(z.string()).optional(),
    /** For `fence`: whom this host obeyed before it, and where the log stood then. Absent: it had not heard of the run. */
    seen: wire({ epoch: z.int(), head: LogHead }).optional(),
    /** The control was not obeyed. */
    failure: Failure.optional(),
  }),
  /**
   * On disk before it is told [D4]. After a yes the host undoes nothing in this run until it is released. A no that comes
   * after a yes of the same round takes it back: a guard broke, or the host can no longer watch.
   */
  wire({
    type: z.literal('vote'),
    ...ReportBase,
    step: z.string(),
    round: z.int(),
    roundNonce: z.string(),
    vote: z.enum(['yes', 'no']),
    validMs: z.int(),
    /** Where the log stood for whoever asked. */
    head: LogHead,
    evidence: z.array(VoteEvidence),
    /** Why not, when it is not a guard's fault. */
    why: z.string().optional(),
  }),
]);
export type ControlReport = Extract<Report, { type: 'control' }>;
export type OutcomeReport = Extract<Report, { type: 'outcome' }>;

/** What an action's `check` found on the live host. It changed nothing. */
export type CheckResult = z.infer<typeof CheckResult>;
export const CheckResult = wire({
  /** The before-receipt as it would be captured now. */
  before: JsonObject,
  /** Short, for screen 1: `active`, `replicas 3`. */
  note: z.string().optional(),
  problems: z.array(Failure),
  estimateMs: z.number().optional(),
});

export type Answer = z.infer<typeof Answer>;
export const Answer = z.discriminatedUnion('verb', [
  wire({
    verb: z.literal('sample'),
    nonce: z.string(),
    host: HostName,
    /** What was asked, so that the answer can be shown to others. */
    probe: z.string().optional(),
    with: JsonObject.optional(),
    values: z.record(z.string(), Json),
    tookMs: z.number(),
  }),
  wire({ verb: z.literal('check'), nonce: z.string(), host: HostName, result: CheckResult }),
  wire({
    verb: z.literal('settle'),
    nonce: z.string(),
    host: HostName,
    /** `none`: never accepted here. `voided`: withdrawn, never will be. `running`: alive, or being probed. */
    commands: z.array(wire({ id: z.string(), state: z.enum(['none', 'voided', 'running', 'ended', 'refused']) })),
    /** Outcome and refusal reports of the commands that have ended, whole. */
    reports: z.array(Report),
    /** The same, each sealed as in the stream, so that they can be shown to others. */
    sealed: z.array(z.string()).optional(),
  }),
  wire({ verb: z.literal('failed'), nonce: z.string(), host: HostName, failure: Failure }),
]);
