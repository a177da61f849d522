/** Every default that more than one part relies on, in milliseconds unless named otherwise. */
export const DEFAULTS = {
  actionTimeoutMs: 10 * 60_000,
  gateTimeoutMs: 10 * 60_000,
  gateEveryMs: 5_000,
  recordTimeoutMs: 30_000,
  /** How long a command may wait before it is void: an agent that was away starts nothing old. */
  commandTtlMs: 60_000,
  /** A stream gives a message out again when whoever has it shows no sign of life for so long. */
  ackWaitMs: 30_000,
  /** Beyond timeout and time to live, how long the coordinator waits before an outcome is `unknown`. */
  silenceSlackMs: 5_000,
  proofTimeoutMs: 60_000,
  /** How long a vote for a point of no return may be relied on, from asking for it. */
  voteValidMs: 30_000,
  /** A crossing is not decided on later than this before its votes end: its entry has to reach the log in time. */
  crossMarginMs: 5_000,
  queryTimeoutMs: 10_000,
  /** A check may start programs, each of which takes seconds on a host that is busy (Alembic twice), with others beside it. */
  checkTimeoutMs: 30_000,
  /** How much longer than `validFor` approvals may be apart by the clocks of those who gave them. */
  approvalSlackMs: 3 * 60_000,
  /** Clocks further apart than this: no mutation is started [I7]. */
  maxSkewMs: 30_000,
  retryBackoffMs: 1_000,
} as const;
