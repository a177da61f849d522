import type { ProcessGroup } from '../ports.ts';
import type { Exit } from './keeper/wire.ts';
import type { TailSource } from './tail.ts';

/** A process that an execution wants. */
export interface Wanted {
  argv: readonly [string, ...string[]];
  /** Whole and final. `mark` is in it. */
  env: Readonly<Record<string, string>>;
  cwd: string | undefined;
  stdin: string | undefined;
  /** Path of its files, without `.out` and so on: used once and never again. */
  files: string;
}

/** A process that was started, or was to be. */
export interface Started {
  /** Undefined when there is none, or nobody can say. */
  group: ProcessGroup | undefined;
  exit: Promise<Exit>;
  out: TailSource;
  err: TailSource;
  tree: Tree;
}

/** All that came of a process: its children, and what they started. */
export interface Tree {
  /** Asks who has not been asked yet. */
  askToEnd(): void;
  kill(): void;
  isAlive(): boolean;
}

/** A way to start processes so that they do not notice when the agent goes away. */
export interface Starter {
  /** @throws SignalboxError when nothing was started. */
  start(wanted: Wanted): Promise<Started>;
  /**
   * Finds what an agent before this one has started under these files, running or ended.
   * @returns undefined when it cannot be said whether that was so.
   */
  find?(files: string, group: ProcessGroup | undefined): Started | undefined;
}
