import { join } from 'node:path';
import type { ExecOptions, ExecResult, HostContext } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { executable, succeed } from '../support/exec.ts';

/** One virtual environment, and where its packages come from. */
export interface Environment {
  venv: string;
  index?: string | undefined;
  findLinks?: string | undefined;
}

const QUIET = '--disable-pip-version-check';

export function pipOf({ venv }: Environment): string {
  return join(venv, 'bin', 'pip');
}

export function hasPip(environment: Environment): boolean {
  return executable(pipOf(environment));
}

/** As the owner of the environment: what is in there is their code, and what is installed stays theirs to change. */
async function pip(
  context: HostContext,
  environment: Environment,
  words: readonly string[],
  options?: ExecOptions,
): Promise<ExecResult> {
  return await succeed(context, await asOwner(environment.venv, [pipOf(environment), ...words]), options);
}

/** Every package as a line that pip takes as a requirement, sorted; with pip and setuptools, which installs may change. */
export async function freeze(context: HostContext, environment: Environment): Promise<string[]> {
  const { stdout } = await pip(context, environment, ['freeze', '--all', QUIET], { quiet: true });
  const lines = stdout.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).sort();
}

export async function install(context: HostContext, environment: Environment, what: string[]): Promise<void> {
  const { index, findLinks } = environment;
  const source = [
    ...(index ? ['--index-url', index] : []),
    ...(findLinks && !index ? ['--no-index'] : []),
    ...(findLinks ? ['--find-links', findLinks] : []),
  ];
  await pip(context, environment, ['install', '--no-input', QUIET, ...source, ...what]);
}

export async function uninstall(context: HostContext, environment: Environment, names: string[]): Promise<void> {
  if (names.length > 0) await pip(context, environment, ['uninstall', '-y', QUIET, ...names]);
}

/** @throws SB-ACT-PIP-CHECK */
export async function requireConsistent(context: HostContext, environment: Environment): Promise<void> {
  await pip(context, environment, ['check', QUIET]).catch((error: unknown) => {
    throw actionError('SB-ACT-PIP-CHECK', `pip check in ${environment.venv} fails`, { cause: error });
  });
}

/** The name in a line of a freeze, as PEP 503 compares names. Editable installs have none that can be uninstalled by line. */
export function nameOf(line: string): string {
  const name = /#egg=([A-Za-z0-9._-]+)/.exec(line)?.[1] ?? /^[A-Za-z0-9._-]+/.exec(line)?.[0] ?? '';
  return normalised(name);
}

/** Whether a freeze holds a pinned requirement; extras are no part of what is installed. */
export function holdsPin(lines: readonly string[], requirement: string): boolean {
  const [name = '', version] = requirement.replace(/\[[^\]]*\]/, '').split('==');
  return lines.some((line) => {
    const [have = '', pinned] = line.split('==');
    return normalised(have) === normalised(name) && pinned === version;
  });
}

function normalised(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[-_.]+/g, '-');
}
