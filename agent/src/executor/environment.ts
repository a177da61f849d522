import { homedir } from 'node:os';

/** What Debian gives a service; a host with its programs elsewhere says so with `path` in agent.yaml. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Marks the processes of a command, so that they are found again after a crash. */
export const COMMAND_VARIABLE = 'SIGNALBOX_COMMAND_ID';

/** Marks one of them, and all that it starts. */
export const PROCESS_VARIABLE = 'SIGNALBOX_PROCESS';

export interface EnvironmentOptions {
  path: string;
  /** Name of the process, as its files have it. */
  mark: string;
  command: { id: string; run: string } | undefined;
  extra: Readonly<Record<string, string>> | undefined;
}

/**
 * The environment of a child is built, never inherited: the agent's own may hold secrets, and variables such as LD_PRELOAD,
 * NODE_OPTIONS, PYTHONPATH, GIT_* or PIP_* would change what a program does. LANG is fixed, because actions read what
 * programs print.
 */
export function childEnvironment({ path, mark, command, extra }: EnvironmentOptions): Record<string, string> {
  const marks = command && { [COMMAND_VARIABLE]: command.id, SIGNALBOX_RUN: command.run };
  return { PATH: path, HOME: homedir(), LANG: 'C.UTF-8', ...extra, ...marks, [PROCESS_VARIABLE]: mark };
}
