import type { Execution, ExecutionRequest, Workbench } from '@signalbox/agent';
import type { ExecResult } from '@signalbox/protocol';
import type { Host, Manner } from './host.ts';
import type { Life } from './life.ts';
import { clockOf } from './machine.ts';

/** How the next process of an action behaves. */
export type NextManner = () => { manner: Manner; ms: number };

/** Where the actions of one agent process touch the simulated host. */
export function workbench(host: Host, life: Life, next: NextManner): Workbench {
  const clock = clockOf(life, host.clock);

  function exec({ command, onProcess, signal }: ExecutionRequest): Promise<ExecResult> {
    if (command === undefined) throw new Error('only commands start processes here');
    life.mustBeAlive();
    onProcess?.(0, undefined);
    life.mustBeAlive();
    const group = host.spawn({ commandId: command.id, step: command.step, direction: command.direction }, next());
    onProcess?.(0, group);
    return life.promise((resolve, reject) => {
      host.onExit(group, (exitCode) =>
        resolve({ exitCode, signal: undefined, stdout: '', stderr: '', timedOut: false, durationMs: 0 }),
      );
      signal.addEventListener('abort', () => {
        host.kill(group);
        reject(signal.reason);
      });
    });
  }

  return {
    open(request): Execution {
      const { executionId, signal } = request;
      return {
        context: {
          host: host.name,
          labels: {},
          executionId,
          signal,
          exec: async () => await exec(request),
          print: () => {},
          secret: async () => '',
          nowMs: clock.nowMs,
          sleep: (ms) => life.promise((resolve) => void clock.after(ms, () => resolve(undefined))),
        },
        redact: (value) => value,
        close: async () => ({ outputBytes: 0 }),
      };
    },
    async survivors(commandId, groups, uncertain) {
      const known = groups.filter((group) => host.isRunning(group));
      const marked = uncertain ? host.ofCommand(commandId) : [];
      return [...known, ...marked.filter(({ pid }) => !known.some((group) => group.pid === pid))];
    },
    killGroup: (group) => host.kill(group),
    discard: () => {},
  };
}
