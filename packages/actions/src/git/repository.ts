import type { HostContext } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { answer, succeed } from '../support/exec.ts';

/**
 * git in a working tree, as its owner, without its hooks: they are programs that nobody has reviewed. The owner's and the
 * system's settings do count, for they may say how a remote is reached; a prompt for a password is an error.
 */
async function argvOf(folder: string, words: readonly string[]) {
  const settings = [
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    `safe.directory=${folder}`,
    '-c',
    'advice.detachedHead=false',
  ];
  return asOwner(folder, ['git', ...settings, '-C', folder, ...words]);
}

const ENV = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };

export async function git(
  context: HostContext,
  folder: string,
  words: readonly string[],
  quiet = true,
): Promise<string> {
  return (await succeed(context, await argvOf(folder, words), { env: ENV, quiet })).stdout.trim();
}

/** Where a working tree stands. */
export interface Head {
  commit: string;
  /** The branch that is checked out; undefined when HEAD is detached. */
  branch: string | undefined;
}

/** @throws SB-ACT-GIT-REPOSITORY */
export async function headOf(context: HostContext, folder: string): Promise<Head> {
  const asked = await answer(context, await argvOf(folder, ['rev-parse', '--show-toplevel', 'HEAD']), {
    env: ENV,
    quiet: true,
  });
  const [top, commit] = asked.stdout.trim().split('\n');
  if (asked.exitCode !== 0 || commit === undefined) {
    throw actionError('SB-ACT-GIT-REPOSITORY', `${folder} is no git working tree with a commit`);
  }
  if (top !== folder) throw actionError('SB-ACT-GIT-REPOSITORY', `${folder} is inside the working tree ${top}`);
  const branch = await answer(context, await argvOf(folder, ['symbolic-ref', '--quiet', '--short', 'HEAD']), {
    env: ENV,
    quiet: true,
  });
  return { commit, branch: branch.exitCode === 0 ? branch.stdout.trim() : undefined };
}

/** Paths of files under version control that were changed by hand. Others are git's to protect: it overwrites none. */
export async function changedByHand(context: HostContext, folder: string): Promise<string[]> {
  const text = await git(context, folder, ['status', '--porcelain', '--untracked-files=no']);
  return text === '' ? [] : text.split('\n').map((line) => line.replace(/^\S+\s+/, ''));
}

/** SB-ACT-GIT-DIRTY with the first paths, or nothing where nobody has changed anything. */
export async function dirtyProblem(context: HostContext, folder: string) {
  const changed = await changedByHand(context, folder);
  if (changed.length === 0) return [];
  const some = changed.slice(0, 5).join(', ');
  return [actionError('SB-ACT-GIT-DIRTY', `${changed.length} files in ${folder} were changed by hand: ${some}`)];
}

/** The commit that a revision names here; undefined when the repository does not have it. */
export async function commitOf(context: HostContext, folder: string, revision: string): Promise<string | undefined> {
  const words = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const asked = await answer(context, await argvOf(folder, words), { env: ENV, quiet: true });
  return asked.exitCode === 0 ? asked.stdout.trim() : undefined;
}

/** Whether a name is a branch here: what it means tomorrow is not what it means today [T21]. */
export async function isBranch(context: HostContext, folder: string, name: string): Promise<boolean> {
  const refs = [`refs/heads/${name}`, `refs/remotes/${name}`, `refs/remotes/origin/${name}`];
  return (await git(context, folder, ['for-each-ref', '--format=%(refname)', ...refs])) !== '';
}
