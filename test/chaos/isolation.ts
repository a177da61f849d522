import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';

/**
 * A night is spent in namespaces of its own: network, mounts and processes. What it does to links and disks is felt by
 * nobody else, and all of it, down to the last grandchild, ends with its first process, whatever that dies of.
 *
 * That first process is a shell that waits: a first process has to reap orphans, which Node does not.
 */
function isolated(argv: readonly string[]): [string, ...string[]] {
  const user = userInfo().uid === 0 ? [] : ['--user', '--map-root-user'];
  const spaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return ['unshare', ...user, ...spaces, '--', 'sh', '-c', '"$@"; exit "$?"', 'first', ...argv];
}

/** Why this machine cannot give namespaces; undefined when it can. */
export function cannotIsolate(): string | undefined {
  const [program, ...args] = isolated(['ip', 'link', 'set', 'lo', 'up']);
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `unshare ended with ${status}`;
}

/** Starts the program of a night, in a group of its own: a Ctrl-C reaches its starter alone. */
export function spawnNight(argv: readonly [string, ...string[]], isolate: boolean): ChildProcess {
  const [program, ...args] = isolate ? isolated(argv) : argv;
  return spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
}
