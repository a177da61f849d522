import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HostContext, OutputChunk } from '@signalbox/protocol';
import type { Clock, Execution, ExecutionRequest, Workbench } from '../ports.ts';
import { directStarter } from './direct.ts';
import { childEnvironment } from './environment.ts';
import { createOutput } from './output.ts';
import { livingGroups, signalGroup } from './processes.ts';
import { createStreamRedactor, redactJson, redactText, type SecretValues } from './redact.ts';
import { runProcess } from './run-process.ts';
import type { SecretReader } from './secrets.ts';
import type { Starter } from './starter.ts';

export interface WorkbenchOptions {
  host: string;
  labels: Readonly<Record<string, string>>;
  clock: Clock;
  /** Folder of the steps' files, readable by the agent alone: what is in them is not redacted. */
  steps: string;
  path: string;
  /** Bound of a child's output file, and of what one command publishes. */
  outputCapBytes: number;
  secrets: SecretReader;
  secretValues: SecretValues;
  publish: (chunk: OutputChunk) => void;
  /** Starts the processes of commands. */
  starter: Starter;
}

/** The real host: processes, files and secrets of the machine that the agent runs on. */
export function createWorkbench(options: WorkbenchOptions): Workbench {
  const { steps, secretValues } = options;
  let opened = 0;

  return {
    open(request) {
      opened += 1;
      return openExecution(request, { ...options, serial: opened });
    },
    survivors: async (commandId, groups, uncertain) => livingGroups(commandId, groups, { uncertain }),
    killGroup: ({ pid }) => void signalGroup(pid, 'SIGKILL'),
    discard(run) {
      const own = readdirSync(steps).filter((name) => name.startsWith(`${run}.`));
      for (const name of own) rmSync(join(steps, name), { force: true });
    },
  };

  function openExecution(request: ExecutionRequest, made: WorkbenchOptions & { serial: number }): Execution {
    const { command, signal, executionId } = request;
    const output = command && createOutput(made.outputCapBytes, (piece) => made.publish(chunkOf(command, piece)));
    let children = 0;

    const context: HostContext = {
      host: made.host,
      labels: made.labels,
      path: made.path,
      executionId,
      signal,
      async exec(argv, execOptions = {}) {
        const child = children;
        children += 1;
        const live = output !== undefined && !execOptions.quiet;
        const redactors = { out: createStreamRedactor(secretValues), err: createStreamRedactor(secretValues) };
        request.onProcess?.(child, undefined);
        // Side by side in one folder: one an execution would cost each step as much as its files.
        const files = join(steps, live ? `${executionId}.${child}` : `quiet-${made.serial}-${child}`);
        const result = await runProcess(argv, {
          exec: execOptions,
          clock: made.clock,
          starter: live ? made.starter : directStarter,
          env: childEnvironment({ path: made.path, mark: files, command, extra: execOptions.env }),
          signal,
          files,
          capBytes: made.outputCapBytes,
          onStarted: (group) => request.onProcess?.(child, group),
          onText: live ? (stream, text, lost) => output.write(redactors[stream].write(text), lost) : undefined,
        });
        for (const redactor of [redactors.out, redactors.err]) {
          const rest = redactor.end();
          if (rest !== '') output?.write(rest);
        }
        return result;
      },
      print: (line) => output?.write(`${redactText(line, secretValues)}\n`),
      secret: (ref) => made.secrets.read(ref),
      nowMs: () => made.clock.nowMs(),
      sleep: (ms) => sleep(made.clock, ms, signal),
    };

    return {
      context,
      redact: (value) => redactJson(value, secretValues),
      close: async () => ({ outputBytes: output?.end() ?? 0 }),
    };
  }

  function chunkOf(
    { id, run, step }: { id: string; run: string; step: string },
    piece: Pick<OutputChunk, 'seq' | 'text' | 'gapBytes'>,
  ): OutputChunk {
    return { run, step, host: options.host, commandId: id, atMs: options.clock.nowMs(), ...piece };
  }
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}
