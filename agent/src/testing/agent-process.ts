import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalMesh } from '@signalbox/bus';
import { until } from '@signalbox/protocol/testing';
import { stringify } from 'yaml';
import { allProcesses } from '../executor/processes.ts';

/** The built program: tests of a process run what is shipped. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface AgentProcessOptions {
  mesh: LocalMesh;
  host: string;
  /** Folder of the agent; the same one again is the same host after a restart. */
  dir: string;
  config?: Record<string, unknown>;
  env?: Record<string, string>;
}

export interface AgentProcess {
  readonly pid: number;
  readonly logs: LogLine[];
  readonly stderr: () => string;
  /** Resolves to the exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  logged(message: string): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and waits. */
  stop(): Promise<number | string>;
}
export interface LogLine extends Record<string, unknown> {
  msg: string;
}

export function writeConfig({ mesh, host, dir, config = {} }: AgentProcessOptions): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'seed'), `${mesh.agentKey(host).seed}\n`, { mode: 0o600 });
  const path = join(dir, 'agent.yaml');
  const trust = { coordinators: [mesh.keys.coordinator.publicKey] };
  const base = { mesh: mesh.mesh, name: host, servers: [mesh.url], seedFile: 'seed', stateDir: 'state', trust };
  writeFileSync(path, stringify({ ...base, ...config }));
  return path;
}

/** Processes of the keepers whose agent has its folder below `dir`. */
export function keepersOf(dir: string): number[] {
  const below = realpathSync(dir);
  return allProcesses()
    .map(({ pid }) => pid)
    .filter(
      (pid) => commandLine(pid).some((word) => word.startsWith(below)) && commandLine(pid)[1]?.endsWith('/keeper.js'),
    );
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

export function startAgentProcess(options: AgentProcessOptions): AgentProcess {
  const child = spawn(process.execPath, [PROGRAM, '--config', writeConfig(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const logs: LogLine[] = [];
  let stderr = '';
  readLines(child, (line) => logs.push(JSON.parse(line) as LogLine));
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const exit = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    pid: child.pid ?? -1,
    logs,
    stderr: () => stderr,
    exit,
    logged: (message) => until(`log line "${message}"`, () => logs.find(({ msg }) => msg === message)),
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      return await exit;
    },
  };
}

function readLines(child: ChildProcess, take: (line: string) => void): void {
  let rest = '';
  child.stdout?.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
