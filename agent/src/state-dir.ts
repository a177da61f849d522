import { accessSync, chmodSync, constants, mkdirSync, realpathSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { agentError } from './codes.ts';
import { takeName } from './exclusive.ts';

export interface StateDir {
  path: string;
  journal: string;
  /** Output and exits of running steps. They mean nothing after a boot, so they may be in memory. */
  steps: string;
  /** Lets another agent have it. */
  release(): void;
}

export const journalPath = (stateDir: string): string => join(stateDir, 'journal.log');

/**
 * Makes the state folder and takes it for this process alone. `runtimeDir` is for what need not outlive a boot. Two agents of one name elsewhere are found by the
 * coordinator (SB-HOST-DUPLICATE).
 * @throws SB-AGENT-STATE-DIR, SB-AGENT-LOCKED
 */
export async function takeStateDir(path: string, runtimeDir = path): Promise<StateDir> {
  const steps = join(runtimeDir, 'steps');
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    mkdirSync(steps, { recursive: true, mode: 0o700 });
    chmodSync(steps, 0o700);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw agentError('SB-AGENT-STATE-DIR', `stateDir ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const lock = await lockOf(realpathSync(path));
  return { path, journal: journalPath(path), steps, release: () => void lock.close() };
}

async function lockOf(path: string): Promise<Server> {
  const lock = await takeName('signalbox-agent', path).catch((cause: Error) => {
    throw agentError('SB-AGENT-STATE-DIR', `cannot lock ${path}: ${cause.message}`, { cause });
  });
  if (lock === undefined) throw agentError('SB-AGENT-LOCKED', `another agent uses ${path}`);
  return lock;
}
