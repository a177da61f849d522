import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ExecOptions,
  type ExecResult,
  type HostContext,
  type OutputChunk,
  SignalboxError,
} from '@signalbox/protocol';
import type { Policy } from '../policy/policy.ts';
import type { Clock, Execution, ExecutionRequest, Workbench } from '../ports.ts';
import { directStarter } from './direct.ts';
import { childEnvironment } from './environment.ts';
import { createOutput, type Output } from './output.ts';
import { livingGroups, signalGroup } from './processes.ts';
import { openProgress, readProgress } from './progress-file.ts';
import { createStreamRedactor, redactJson, redactText, type SecretValues } from './redact.ts';
import { createRetrace, fingerprint } from './retrace.ts';
import { type RunProcessOptions, runProcess } from './run-process.ts';
import type { SecretReader } from './secrets.ts';
import type { Starter } from './starter.ts';

type Argv = readonly [string, ...string[]];

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
  policy: Policy;
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
    survivors: async (command, groups, uncertain) => livingGroups(command, groups, { uncertain }),
    killGroup: ({ pid }) => void signalGroup(pid, 'SIGKILL'),
    discard(run) {
      const own = readdirSync(steps).filter((name) => name.startsWith(`${run}.`));
      for (const name of own) rmSync(join(steps, name), { force: true });
    },
  };

  function openExecution(request: ExecutionRequest, made: WorkbenchOptions & { serial: number }): Execution {
    const { command, signal, executionId, earlier } = request;
    const progressPath = join(steps, `${executionId}.sent`);
    const progress = openProgress(progressPath);
    const output =
      command &&
      createOutput({
        capBytes: made.outputCapBytes,
        send: (piece) => made.publish(chunkOf(command, piece)),
        remember: progress.remember,
        before: earlier && readProgress(progressPath),
      });
    const retrace = createRetrace(earlier);
    let children = retrace.firstChild;
    let live = 0;

    /** What only asks, or what no command wants: not in the output, not on disk, not found again. */
    function ask(argv: Argv, exec: ExecOptions, child: number): Promise<ExecResult> {
      const files = join(steps, `quiet-${made.serial}-${child}`);
      request.onProcess?.(child, {});
      return run(argv, {
        exec,
        files,
        starter: directStarter,
        onStarted: (group) => request.onProcess?.(child, { group }),
      });
    }

    async function act(argv: Argv, exec: ExecOptions, sink: Output): Promise<ExecResult> {
      const index = live;
      live += 1;
      const files = join(steps, `${executionId}.${index}`);
      const asked = fingerprint(argv, exec);
      const found = retrace.follow(asked, (group) => made.starter.find?.(files, group));
      const child = found?.child ?? children++;
      if (found === undefined) request.onProcess?.(child, { asked });
      const redactors = { out: createStreamRedactor(secretValues), err: createStreamRedactor(secretValues) };
      const result = await run(argv, {
        ...{ exec, files, starter: made.starter },
        resumed: found && { found: found.started, elapsedMs: made.clock.monotonicMs() - found.monotonicMs },
        onStarted: (group) => request.onProcess?.(child, { asked, group }),
        onText: (stream, text, lost) => sink.write(`${index}.${stream}`, redactors[stream].write(text), lost),
      });
      for (const stream of ['out', 'err'] as const) sink.write(`${index}.${stream}`, redactors[stream].end());
      return result;
    }

    type Way = Pick<RunProcessOptions, 'exec' | 'files' | 'starter' | 'resumed' | 'onStarted' | 'onText'>;

    async function run(argv: Argv, way: Way): Promise<ExecResult> {
      const refused = made.policy.processRefusal(argv);
      if (refused) throw new SignalboxError(refused);
      const { clock, path, outputCapBytes: capBytes } = made;
      const env = childEnvironment({ path, mark: way.files, command, extra: way.exec.env });
      return await runProcess(argv, { ...way, clock, env, signal, capBytes });
    }

    const context: HostContext = {
      host: made.host,
      labels: made.labels,
      path: made.path,
      executionId,
      signal,
      exec: async (argv, exec = {}) =>
        output === undefined || exec.quiet ? ask(argv, exec, children++) : act(argv, exec, output),
      print: (line) => output?.write('print', `${redactText(line, secretValues)}\n`),
      secret: (ref) => made.secrets.read(ref),
      nowMs: () => made.clock.nowMs(),
      sleep: (ms) => sleep(made.clock, ms, signal),
    };

    return {
      context,
      redact: (value) => redactJson(value, secretValues),
      async close() {
        const diverged = retrace.diverged;
        const outputBytes = diverged ? 0 : (output?.end() ?? 0);
        progress.close();
        return { outputBytes, ...(diverged && { diverged }) };
      },
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
