import { type Execution, type ExecutionRequest, redactJson, type SecretValues, type Workbench } from '@signalbox/agent';
import type { ExecResult } from '@signalbox/protocol';
import type { Host, Manner } from './host.ts';
import type { Life } from './life.ts';
import { clockOf } from './machine.ts';
import { SECRET } from './tools.ts';

/** How the next process of an action behaves. */
export type NextManner = () => { manner: Manner; ms: number };

export interface WorkbenchOptions {
  readonly host: Host;
  readonly life: Life;
  readonly next: NextManner;
  /** Values that the agent has read and must not let out: the real redaction works on them. */
  readonly secrets: SecretValues;
}

/** Where the actions of one agent process touch the simulated host. */
export function workbench({ host, life, next, secrets }: WorkbenchOptions): Workbench {
  const clock = clockOf(life, host.clock);

  function exec({ command, onProcess, signal }: ExecutionRequest): Promise<ExecResult> {
    if (command === undefined) throw new Error('only commands start processes here');
    life.mustBeAlive();
    onProcess?.(0, {});
    life.mustBeAlive();
    const group = host.spawn({ commandId: command.id, step: command.step, direction: command.direction }, next());
    onProcess?.(0, { group });
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
          secret: async () => {
            secrets.add(SECRET);
            return SECRET;
          },
          nowMs: clock.nowMs,
          sleep: (ms) => life.promise((resolve) => void clock.after(ms, () => resolve(undefined))),
        },
        redact: (value) => redactJson(value, secrets),
        close: async () => ({ outputBytes: 0 }),
      };
    },
    async survivors({ id }, groups, uncertain) {
      const known = groups.filter((group) => host.isRunning(group));
      const marked = uncertain ? host.ofCommand(id) : [];
      return [...known, ...marked.filter(({ pid }) => !known.some((group) => group.pid === pid))];
    },
    killGroup: (group) => host.kill(group),
    discard: () => {},
  };
}
