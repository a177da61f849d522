import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { agentError } from './codes.ts';

export interface StateDir {
  path: string;
  journal: string;
  steps: string;
  /** Lets another agent have it. */
  release(): void;
}

export const journalPath = (stateDir: string): string => join(stateDir, 'journal.log');

/**
 * Makes the state folder and takes it for this process alone. The lock is a Linux abstract socket named after the
 * folder: the kernel frees it when the process dies, however it dies, so no stale lock is ever left. It holds within one
 * network namespace; two agents of one name elsewhere are found by the coordinator (SB-HOST-DUPLICATE).
 * @throws SB-AGENT-STATE-DIR, SB-AGENT-LOCKED
 */
export async function takeStateDir(path: string): Promise<StateDir> {
  const steps = join(path, 'steps');
  try {
    mkdirSync(steps, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw agentError('SB-AGENT-STATE-DIR', `stateDir ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const lock = await lockOf(realpathSync(path));
  return { path, journal: journalPath(path), steps, release: () => void lock.close() };
}

/** Abstract names fill the whole address: padded by us, so that every version of Node makes the same name. */
const NAME_BYTES = 107;

function lockOf(path: string): Promise<Server> {
  const name = `signalbox-agent-${createHash('sha256').update(path).digest('hex')}`.padEnd(NAME_BYTES, '-');
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const error = { EADDRINUSE: () => agentError('SB-AGENT-LOCKED', `another agent uses ${path}`) }[cause.code ?? ''];
      reject(error?.() ?? agentError('SB-AGENT-STATE-DIR', `cannot lock ${path}: ${cause.message}`, { cause }));
    });
    server.listen(`\0${name}`, () => {
      server.unref();
      resolve(server);
    });
  });
}
