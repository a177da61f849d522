/** How `signalbox` ends. Scripts branch on these; they change only with a major version. */
export const EXIT = {
  done: 0,
  /** Failed, refused or rolled back: everything is as before. */
  failed: 1,
  /** Bad usage, or a runbook that does not pass. */
  usage: 2,
  /** Held: a person must decide. */
  held: 3,
  /** The mesh cannot be reached. */
  unreachable: 4,
  /** Ended with something that a person must still do by hand. */
  leftByHand: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for `--help` and the reference. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.done, 'done'],
  [EXIT.failed, 'failed or rolled back: everything as before'],
  [EXIT.usage, 'bad usage, or a runbook that does not pass'],
  [EXIT.held, 'held for a person'],
  [EXIT.unreachable, 'cannot reach the mesh'],
  [EXIT.leftByHand, 'ended with something left to do by hand'],
];
