import {
  Command,
  Direction,
  Failure,
  JsonObject,
  LogHead,
  Outcome,
  VoteEvidence,
  VoteGuard,
  wire,
} from '@signalbox/protocol';
import { z } from 'zod';

/** What a command is the try of, without its body: enough to report that it was refused. */
export type CommandRef = z.infer<typeof CommandRef>;
export const CommandRef = wire({
  id: z.string(),
  run: z.string(),
  step: z.string(),
  direction: Direction,
  attempt: z.int(),
  epoch: z.int(),
});

/**
 * What the journal remembers. Records are facts; which commands are known, void or open is folded from them
 * (`state.ts`). Secrets are in no record: commands carry references, receipts and failures are redacted before [I9].
 */
export type RecordBody = z.infer<typeof RecordBody>;
export const RecordBody = z.discriminatedUnion('type', [
  /** The first record. `compactedThrough`: records up to this number were left out since, all of closed runs. */
  wire({
    type: z.literal('created'),
    journal: z.string(),
    mesh: z.string(),
    host: z.string(),
    machine: z.string(),
    boot: z.string(),
    compactedThrough: z.int().optional(),
  }),
  /** One start of the agent. */
  wire({ type: z.literal('opened'), instance: z.string(), boot: z.string(), version: z.string() }),
  /**
   * The command will be run; on disk before anything is touched. `before` is what undo will need. Its processes live in
   * this `boot` of the host and in no later one.
   */
  wire({
    type: z.literal('intent'),
    command: Command,
    content: z.string(),
    before: JsonObject,
    boot: z.string(),
    /** What the operator's signature is for: the run of this start, and no other. */
    start: z.string().optional(),
    /** Approvals that people had given by then, as this host has proven. */
    approved: z.array(z.string()).optional(),
    /** Clock of that boot: the step's time goes on from here, whoever measures it. */
    monotonicMs: z.number().optional(),
  }),
  /**
   * A process of a running command, written before it starts (without `group`) and after. Not synced: a crash of the
   * agent does not lose it, and after a crash of the host no process is left.
   */
  wire({
    type: z.literal('process'),
    commandId: z.string(),
    child: z.int(),
    /** Fingerprint of what was asked for; left out for a quiet one. */
    asked: z.string().optional(),
    monotonicMs: z.number().optional(),
    group: wire({ pid: z.int(), startTicks: z.string().optional() }).optional(),
  }),
  wire({
    type: z.literal('outcome'),
    commandId: z.string(),
    outcome: Outcome,
    startedAtMs: z.int(),
    durationMs: z.number(),
    outputBytes: z.int(),
  }),
  /** Was not done and never will be. */
  wire({ type: z.literal('refused'), command: CommandRef, content: z.string(), failure: Failure }),
  wire({
    type: z.literal('control'),
    control: z.enum(['void', 'fence', 'closed', 'kill', 'release', 'seal']),
    id: z.string(),
    run: z.string(),
    epoch: z.int(),
    nonce: z.string(),
    head: LogHead,
    reason: z.string().optional(),
    withdrawn: z.array(z.string()).optional(),
    known: z.array(z.string()).optional(),
    seen: wire({ epoch: z.int(), head: LogHead }).optional(),
    /** It was not obeyed: somebody later leads the run. */
    failure: Failure.optional(),
    /** Of a release or a seal: the round of votes that it is about. */
    round: z.int().optional(),
  }),
  /**
   * A vote for a point of no return; on disk before it is told. After a yes nothing is undone in this run until it is
   * released [D4]. A no after a yes of the same round takes it back, and releases from nothing.
   */
  wire({
    type: z.literal('vote'),
    /** The control that asked for it. */
    id: z.string(),
    run: z.string(),
    epoch: z.int(),
    nonce: z.string(),
    head: LogHead,
    step: z.string(),
    round: z.int(),
    roundNonce: z.string(),
    validMs: z.int(),
    guards: z.array(VoteGuard),
    evidence: z.array(VoteEvidence),
    vote: z.enum(['yes', 'no']),
    why: z.string().optional(),
  }),
  /** The reports of these records are in the stream. Not synced: publishing one again is harmless. */
  wire({ type: z.literal('published'), records: z.array(z.int()) }),
  /** What is kept of a closed run after compaction: it is closed, whatever still comes for it. */
  wire({
    type: z.literal('closed-run'),
    run: z.string(),
    epoch: z.int(),
    nonce: z.string(),
    head: LogHead,
    start: z.string().optional(),
  }),
]);
export type RecordType = RecordBody['type'];
export type BodyOf<T extends RecordType> = Extract<RecordBody, { type: T }>;

/** A record at its place: `n` grows by one a record, `atMs` is the host's wall clock. */
export type Stored<T extends RecordType = RecordType> = BodyOf<T> & { n: number; atMs: number };

export const Place = z.looseObject({ n: z.int().min(1), atMs: z.int() });
