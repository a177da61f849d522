import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** A part of the mesh for trying out, as a process of its own. */
export interface DevProcess {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number | undefined;
  /** Resolves with the reason when the process has ended, whoever ended it. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL when it does not listen. */
  stop(): Promise<void>;
}

const PATIENCE_MS = 8_000;

/** Starts argv with its output in a file. In a process group of its own: Ctrl-C reaches only signalbox, which ends all in order. */
export function startProcess(name: string, argv: readonly [string, ...string[]], logFile: string): DevProcess {
  const [program, ...args] = argv;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const ended = endOf(child).finally(() => process.off('exit', endWithUs));
  return {
    name,
    logFile,
    pid: child.pid,
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const stubborn = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await ended;
      clearTimeout(stubborn);
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`));
  });
}
