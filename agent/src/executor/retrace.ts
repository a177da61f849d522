import type { ExecOptions } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { agentError } from '../codes.ts';
import type { EarlierProcess, ProcessGroup } from '../ports.ts';
import type { Started } from './starter.ts';

/** Tells whether a process that is asked for is the one that was asked for before the restart. */
export function fingerprint(argv: readonly string[], { cwd }: ExecOptions): string {
  return sha256(JSON.stringify([argv, cwd ?? null])).slice(0, 16);
}

/** An action that is called again after a restart goes over its own traces: what it started before is handed to it. */
export interface Retrace {
  /** A number that no earlier process has. */
  readonly firstChild: number;
  /**
   * What became of the process that is asked for; undefined when this is the first time.
   * @throws SB-AGENT-INTERRUPTED when it is another one than before, or nobody knows whether that one was started: from
   * then on nothing is started at all [I1].
   */
  follow(
    asked: string,
    find: (group: ProcessGroup | undefined) => Started | undefined,
  ): (EarlierProcess & { started: Started }) | undefined;
  /** Whether the action left its traces, or did not go to their end: what it returned is not about what was done. */
  readonly diverged: boolean;
}

export function createRetrace(earlier: readonly EarlierProcess[] = []): Retrace {
  const traces = earlier.filter(({ asked }) => asked !== undefined);
  let next = 0;
  let left = false;

  return {
    firstChild: Math.max(-1, ...earlier.map(({ child }) => child)) + 1,
    follow(asked, find) {
      const trace = traces[next];
      if (trace === undefined && !left) return undefined;
      const started = trace?.asked === asked && !left ? find(trace.group) : undefined;
      if (trace === undefined || started === undefined) {
        left = true;
        throw agentError('SB-AGENT-INTERRUPTED', 'after the restart of the agent the action wanted something else');
      }
      next += 1;
      return { ...trace, started };
    },
    get diverged() {
      return left || next < traces.length;
    },
  };
}
