import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The repository: this file is `test/lab/programs.ts` there, or `test/dist/lab/programs.js` when it was built. */
const HERE = dirname(fileURLToPath(import.meta.url));
export const REPOSITORY = HERE.endsWith(join('dist', 'lab')) ? join(HERE, '..', '..', '..') : join(HERE, '..', '..');

const MADE = join(REPOSITORY, 'dist', 'programs');

/** The programs as setup leaves them, bundled as in packages; a test that runs from its sources starts them from there as well. */
export const PROGRAMS = {
  signalbox: join(MADE, 'coordinator', 'dist', 'main.js'),
  agent: join(MADE, 'agent', 'dist', 'main.js'),
  messenger: join(MADE, 'agent', 'dist', 'messenger.js'),
  demo: join(REPOSITORY, 'test', 'dist', 'demo', 'main.js'),
};

/** The runbook that the demo runs, and that later runs unchanged on hosts with real systemd. */
export const NODE_UPGRADE = join(REPOSITORY, 'runbooks', 'r3mes', 'node-upgrade.yaml');

/** What a daemon is started with beside its own arguments. */
export interface Launch {
  /** Goes before everything else, as `nice -n 19` would. */
  readonly before?: readonly string[];
  /** For Node itself. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As the compiler leaves it, a file a module: what is loaded before it can then change one of them. */
  readonly unbundled?: boolean;
}

export interface StartOptions {
  readonly logFile: string;
  readonly launch?: Launch;
  /** Path of a unix socket that listens before the program does, and is handed over to it as systemd's socket units do. */
  readonly socket?: string;
}

/** Becomes the program that a socket is handed over to: its descriptor is 3, and is for this process (sd_listen_fds(3)). */
const WITH_SOCKET = ['/bin/sh', '-c', 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', 'sh'];

/** Starts a program of ours, as `startProcess`. */
export function startDaemon(program: string, args: readonly string[], options: StartOptions): ChildProcess {
  const { node = [], unbundled = false } = options.launch ?? {};
  const file = unbundled ? join(REPOSITORY, relative(MADE, program)) : program;
  return startProcess([process.execPath, ...node, file, ...args], options);
}

/**
 * Starts an operating-system process of its own, in its own group: a Ctrl-C in the terminal reaches its starter alone,
 * which then ends its processes in order.
 */
export function startProcess(
  argv: readonly string[],
  { logFile, launch: { before = [], env } = {}, socket }: StartOptions,
): ChildProcess {
  const [file = '', ...args] = [...before, ...(socket === undefined ? [] : WITH_SOCKET), ...argv];
  const log = openSync(logFile, 'a', 0o600);
  const listening = socket === undefined ? undefined : listenAt(socket);
  try {
    const stdio: StdioOptions = ['ignore', log, log, ...(listening ? [listening.fd] : [])];
    return spawn(file, args, { detached: true, stdio, env: { ...process.env, ...env } });
  } finally {
    listening?.server.close();
    closeSync(log);
  }
}

/** Node has no name for the descriptor of a server that listens. */
const Listening = z.object({ _handle: z.object({ fd: z.int().min(0) }) });

/** Made beside and renamed: a server that is closed takes its socket away from where it was made. */
function listenAt(path: string): { server: Server; fd: number } {
  const server = createServer().listen(`${path}.new`);
  const { fd } = Listening.parse(server)._handle;
  renameSync(`${path}.new`, path);
  return { server, fd };
}
