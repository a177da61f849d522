import { z } from 'zod';
import { Condition } from './condition.ts';
import { Critical } from './envelope.ts';
import { Json, JsonObject } from './json.ts';
import { Direction, HostName, MeshName, RunId } from './names.ts';
import { Proof } from './proof.ts';
import { wire } from './wire.ts';

/** Where a run's log stood when a message was made: proof of which decisions its sender knew. */
export type LogHead = z.infer<typeof LogHead>;
export const LogHead = wire({ sequence: z.int(), hash: z.string() });

const Authority = {
  mesh: MeshName,
  run: RunId,
  host: HostName,
  /** The fencing token of the leader that sends this: it only grows, and an agent refuses older ones [I6]. */
  epoch: z.int().min(1),
  nonce: z.string(),
  head: LogHead,
  /** The agent's journal and machine that the plan was made for [D2]. */
  journal: z.string(),
  machine: z.string(),
  sentAtMs: z.int(),
  critical: Critical,
};

/** A guard of a point of no return as its host is asked about it, on its own sample. */
export type VoteGuard = z.infer<typeof VoteGuard>;
export const VoteGuard = wire({
  step: z.string(),
  probe: z.string(),
  with: JsonObject,
  until: Condition,
  /** The values that met the gate: what has moved since (`still`, `rising`) is told by comparison with them. */
  seed: z.record(z.string(), Json),
  /** How often a host that has voted looks again until the vote is over. */
  everyMs: z.int(),
});

/**
 * Proof that a point of no return is behind the run [D4]: the round in which every host concerned voted for it, and where
 * each vote stands in its host's journal.
 */
export type Crossing = z.infer<typeof Crossing>;
export const Crossing = wire({
  step: z.string(),
  round: z.int(),
  roundNonce: z.string(),
  votes: z.array(wire({ host: HostName, journalSequence: z.int() })),
});

/** One action on one host. */
export type Command = z.infer<typeof Command>;
export const Command = wire({
  ...Authority,
  id: z.string(),
  step: z.string(),
  direction: Direction,
  attempt: z.int().min(1),
  planHash: z.string(),
  /** Not started after this moment [I7]. Epoch milliseconds. */
  notAfterMs: z.int(),
  timeoutMs: z.int(),
  action: z.string(),
  version: z.int(),
  with: JsonObject,
  /** For undo: what the step's `run` needed and returned; absent when its outcome never became known. */
  receipt: JsonObject.optional(),
  /** That an operator asked for this. Inside what the coordinator signs, so that nobody can take it away on the way. */
  proof: Proof.optional(),
  /** Sealed reports and answers of the hosts whose values are in `with`, as text. */
  prerequisites: z.array(z.string()).optional(),
  /** Of what a point of no return was crossed for: this host looks at its own guards once more before it begins. */
  crossing: Crossing.optional(),
});

/**
 * Control never waits for a slot. `void` withdraws commands, `fence` announces a leader, `closed` ends a run. `vote` asks
 * whether a point of no return may be crossed, `release` frees who has voted in a round that came to nothing, `seal` says
 * that it is crossed [D4].
 */
export type Control = z.infer<typeof Control>;
export const Control = z.discriminatedUnion('type', [
  wire({
    type: z.literal('void'),
    id: z.string(),
    ...Authority,
    commands: z.array(z.string()),
    reason: z.string(),
  }),
  wire({ type: z.literal('fence'), id: z.string(), ...Authority }),
  wire({ type: z.literal('closed'), id: z.string(), ...Authority, outcome: z.string() }),
  wire({
    type: z.literal('kill'),
    id: z.string(),
    ...Authority,
    commands: z.array(z.string()),
    reason: z.string(),
  }),
  wire({
    type: z.literal('vote'),
    id: z.string(),
    ...Authority,
    step: z.string(),
    round: z.int(),
    roundNonce: z.string(),
    /** How long a yes may be relied on, from the moment at which it was asked for. */
    validMs: z.int(),
    guards: z.array(VoteGuard),
  }),
  /** All rounds up to this one: a vote that is asked for late is not given any more. */
  wire({ type: z.literal('release'), id: z.string(), ...Authority, round: z.int() }),
  wire({ type: z.literal('seal'), id: z.string(), ...Authority, step: z.string(), round: z.int() }),
]);

/** A question to a host that changes nothing. Each carries a nonce, so an answer is fresh because it repeats it. */
export type Query = z.infer<typeof Query>;
export const Query = z.discriminatedUnion('verb', [
  wire({
    verb: z.literal('sample'),
    mesh: MeshName,
    host: HostName,
    nonce: z.string(),
    probe: z.string(),
    with: JsonObject,
    timeoutMs: z.int(),
    critical: Critical,
  }),
  wire({
    verb: z.literal('check'),
    mesh: MeshName,
    host: HostName,
    nonce: z.string(),
    action: z.string(),
    with: JsonObject,
    timeoutMs: z.int(),
    critical: Critical,
  }),
  /** What became of these commands? Answered from the journal. */
  wire({
    verb: z.literal('settle'),
    mesh: MeshName,
    host: HostName,
    nonce: z.string(),
    commands: z.array(z.string()),
    critical: Critical,
  }),
]);
export type QueryVerb = Query['verb'];
