import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { standinFile, writeExecutable } from './executable.ts';
import { furnishMiner, MINER_UNIT, type MinerPorts, minerVenv } from './furnish-miner.ts';
import { furnishNode, NODE_UNIT, type NodePorts, nodeHome } from './furnish-node.ts';
import { type HostPaths, hostPath, hostPaths } from './paths.ts';

export type SandboxOptions = { dir: string; name: string } & (
  | { role: 'node'; ports: NodePorts }
  | { role: 'miner'; ports: MinerPorts }
  | { role: 'service'; labels: Record<string, string>; unit: string }
);

/** A folder that plays a host, and the process that plays its PID 1 while it is started. */
export type Sandbox = {
  readonly name: string;
  readonly paths: HostPaths;
  /** PATH of everything that runs on this host. */
  readonly path: string;
  /** As an operator labels the host in agent.yaml. */
  readonly labels: Record<string, string>;
  readonly unit: string;
  init: ChildProcess | undefined;
} & (
  | { readonly role: 'node'; readonly ports: NodePorts; readonly home: string }
  | { readonly role: 'miner'; readonly ports: MinerPorts; readonly venv: string }
  | { readonly role: 'service' }
);
export type NodeSandbox = Extract<Sandbox, { role: 'node' }>;
export type MinerSandbox = Extract<Sandbox, { role: 'miner' }>;
/** A host for what the caller puts on it: its unit, programs and files, before it is started. */
export type ServiceSandbox = Extract<Sandbox, { role: 'service' }>;

/** Linux bounds the path of a unix socket: sun_path in unix(7). */
const SOCKET_PATH_BYTES = 107;

export function createSandbox(options: { dir: string; name: string; role: 'node'; ports: NodePorts }): NodeSandbox;
export function createSandbox(options: { dir: string; name: string; role: 'miner'; ports: MinerPorts }): MinerSandbox;
export function createSandbox(options: {
  dir: string;
  name: string;
  role: 'service';
  labels: Record<string, string>;
  unit: string;
}): ServiceSandbox;
/** Makes the folder `<dir>/<name>` with everything a host of that role has. Nothing runs yet. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { dir, name } = options;
  const paths = hostPaths(join(dir, name));
  if (Buffer.byteLength(paths.socket) > SOCKET_PATH_BYTES) {
    throw new Error(`${paths.socket} is too long for a unix socket; put the sandbox into a folder with a shorter path`);
  }
  for (const folder of [paths.bin, paths.localBin, paths.packagedUnits, paths.wants, paths.logs]) {
    mkdirSync(folder, { recursive: true });
  }
  mkdirSync(join(paths.root, 'lab', 'chain'), { recursive: true });
  for (const program of ['systemctl', 'journalctl']) writeExecutable(join(paths.bin, program), program, [paths.root]);
  const common = { name, paths, path: hostPath(paths), init: undefined };
  if (options.role === 'service') {
    enableAtBoot(paths, options.unit);
    return { ...common, role: 'service', labels: options.labels, unit: options.unit };
  }
  if (options.role === 'node') {
    furnishNode(paths, { name, ports: options.ports });
    enableAtBoot(paths, NODE_UNIT);
    const { role, ports } = options;
    return { ...common, role, ports, home: nodeHome(paths), labels: { role }, unit: NODE_UNIT };
  }
  furnishMiner(paths, options.ports);
  enableAtBoot(paths, MINER_UNIT);
  const { role, ports } = options;
  const venv = minerVenv(paths);
  return { ...common, role, ports, venv, labels: { role, venv }, unit: MINER_UNIT };
}

function enableAtBoot(paths: HostPaths, unit: string): void {
  symlinkSync(join(paths.packagedUnits, unit), join(paths.wants, unit));
}

/** Boots the host: resolves when its init answers and has started what is enabled. */
export async function startSandbox(sandbox: Sandbox): Promise<void> {
  const log = openSync(join(sandbox.paths.logs, 'init.log'), 'a');
  // Its standard input is its lifeline: when this process is gone, however it went, the host ends with all its units.
  const init = spawn(process.execPath, [standinFile('init'), sandbox.paths.root], {
    detached: true,
    stdio: ['pipe', 'pipe', log],
  });
  sandbox.init = init;
  await new Promise<void>((resolve, reject) => {
    init.stdout?.once('data', () => resolve());
    init.once('error', reject);
    init.once('exit', (code) =>
      reject(new Error(`init of ${sandbox.name} ended with ${code}: see ${sandbox.paths.logs}`)),
    );
  });
}

/** Shuts the host down with all its units. The folder stays, and can be started again. Idempotent. */
export async function stopSandbox(sandbox: Sandbox): Promise<void> {
  const { init } = sandbox;
  sandbox.init = undefined;
  if (!init || init.exitCode !== null || init.signalCode !== null) return;
  const ended = new Promise((resolve) => init.once('exit', resolve));
  init.kill('SIGTERM');
  await ended;
}

export function removeSandbox(sandbox: Sandbox): void {
  rmSync(sandbox.paths.root, { recursive: true, force: true });
}

export interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** Runs a program on the host as its administrator would. A non-zero exit is an answer. */
export function runOn(sandbox: Sandbox, [program, ...args]: readonly [string, ...string[]]): Promise<Ran> {
  const env = { PATH: sandbox.path, HOME: join(sandbox.paths.home, 'admin') };
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, cwd: sandbox.paths.root }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ stdout, stderr, exitCode: typeof error?.code === 'number' ? error.code : 0 });
    });
  });
}

/** Some properties of a unit, as `systemctl show` prints them. */
export async function showUnit(
  sandbox: Sandbox,
  unit: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  const { stdout } = await runOn(sandbox, ['systemctl', 'show', '-p', names.join(','), unit]);
  const pairs = stdout.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
