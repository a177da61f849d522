import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository: this file is `test/lab/programs.ts` there, or `test/dist/lab/programs.js` when it was built. */
const HERE = dirname(fileURLToPath(import.meta.url));
export const REPOSITORY = HERE.endsWith(join('dist', 'lab')) ? join(HERE, '..', '..', '..') : join(HERE, '..', '..');

/** The programs as the build leaves them; a test that runs from its sources starts them from there as well. */
export const PROGRAMS = {
  signalbox: join(REPOSITORY, 'coordinator', 'dist', 'main.js'),
  agent: join(REPOSITORY, 'agent', 'dist', 'main.js'),
  messenger: join(REPOSITORY, 'agent', 'dist', 'messenger.js'),
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
}

/** Opens a socket and becomes the program that it is handed over to, as systemd's socket units have it (sd_listen_fds(3)). */
const WITH_SOCKET = `
use IO::Socket::UNIX;
$^F = 3;
my $socket = IO::Socket::UNIX->new(Local => shift @ARGV, Listen => 8) or die $@;
@ENV{qw(LISTEN_PID LISTEN_FDS)} = ($$, 1);
exec { $ARGV[0] } @ARGV;
`;

export const withSocket = (path: string): Launch => ({ before: ['perl', '-e', WITH_SOCKET, '--', path] });

/**
 * Starts a daemon as an operating-system process of its own, in its own group: a Ctrl-C in the terminal reaches its
 * starter alone, which then ends its processes in order.
 */
export function startDaemon(
  program: string,
  args: readonly string[],
  { logFile, launch: { before = [], node = [], env } = {} }: { logFile: string; launch?: Launch },
): ChildProcess {
  const [file = process.execPath, ...rest] = [...before, process.execPath, ...node, program, ...args];
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(file, rest, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  } finally {
    closeSync(log);
  }
}
