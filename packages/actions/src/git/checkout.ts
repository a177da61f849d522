import type { HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { findProgram } from '../support/exec.ts';
import { HostPath } from '../support/files.ts';
import { changedByHand, commitOf, dirtyProblem, git, headOf, isBranch } from './repository.ts';

const With = z.strictObject({
  folder: HostPath.describe('The working tree. git runs as its owner, without hooks.'),
  revision: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'a commit or a tag')
    .describe('A commit or a tag; no branch, because a branch is something else tomorrow.'),
  remote: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'the name of a remote')
    .optional()
    .describe('When given, tags and commits are fetched from there first.'),
});
type With = z.infer<typeof With>;

export const gitCheckout = defineAction<With>({
  name: 'git.checkout',
  version: 1,
  summary: 'Checks out an exact revision in a clean working tree; undo goes back to the recorded commit and branch.',
  schema: With,
  effect: 'reversible',
  does: 'check out {revision} in {folder}',
  undoes: 'the commit and branch that were checked out',
  byHand: 'runuser -u "$(stat -c %U {folder})" -- git -C {folder} checkout --detach {receipt.commit}',
  leaves: 'what was fetched',
  touches: ['path:{folder}'],
  receipt: {
    commit: 'before',
    branch: 'before; null when HEAD was detached',
    target: 'the commit that the revision is',
  },
  timeoutMs: 15 * 60_000,

  async check(context, input) {
    if (!findProgram(context, 'git')) {
      return { before: {}, problems: [actionError('SB-ACT-PROGRAM-MISSING', 'no git here').failure] };
    }
    const { folder, revision, remote } = input;
    const { commit, branch } = await headOf(context, folder);
    const problems = (await dirtyProblem(context, folder)).map(({ failure }) => failure);
    if (await isBranch(context, folder, revision)) {
      problems.push(actionError('SB-ACT-GIT-REVISION', `${revision} is a branch`).failure);
    }
    const target = await commitOf(context, folder, revision);
    if (target === undefined && remote === undefined) {
      problems.push(actionError('SB-ACT-GIT-REVISION', `${folder} does not have ${revision}`).failure);
    }
    const note = `${commit.slice(0, 8)} -> ${target?.slice(0, 8) ?? `${revision}, to be fetched from ${remote}`}`;
    return { before: { commit, branch: branch ?? null }, note, problems };
  },

  async run(context, { folder, revision, remote }, before) {
    recorded(before);
    await requireClean(context, folder);
    if (remote !== undefined) await git(context, folder, ['fetch', '--quiet', '--tags', remote], false);
    const target = await commitOf(context, folder, revision);
    if (target === undefined) throw actionError('SB-ACT-GIT-REVISION', `${remote ?? folder} does not have ${revision}`);
    await git(context, folder, ['checkout', '--quiet', '--detach', target], false);
    await requireCommit(context, folder, target);
    return { target };
  },

  async undo(context, { folder }, receipt) {
    const { commit, branch } = recorded(receipt);
    const now = await headOf(context, folder);
    if (now.commit === commit && now.branch === branch) return { restored: false };
    await requireClean(context, folder);
    // A branch that somebody has moved meanwhile would bring other code than there was.
    const same = branch !== undefined && (await commitOf(context, folder, `refs/heads/${branch}`)) === commit;
    await git(context, folder, ['checkout', '--quiet', ...(same ? [branch] : ['--detach', commit])], false);
    await requireCommit(context, folder, commit);
    return { restored: true };
  },

  async loses(context, { folder, revision }, receipt) {
    const { commit } = recorded(receipt);
    const now = await headOf(context, folder);
    // A tag may have been moved since; only where a crash was resolved nobody recorded what it was.
    const target = receipt.target ?? (await commitOf(context, folder, revision));
    if (now.commit === commit || now.commit === target) return [];
    return [`${folder} is at ${now.commit.slice(0, 8)}, which was checked out later`];
  },

  async hinders(context, { folder }) {
    return (await dirtyProblem(context, folder)).map(({ failure }) => failure);
  },

  async probe(context, { folder, revision }, { direction, receipt }) {
    const { commit } = recorded(receipt);
    const now = await headOf(context, folder);
    // git writes HEAD last; files of both revisions side by side show as changed by hand.
    if ((await changedByHand(context, folder)).length > 0) return 'partial';
    const target = await commitOf(context, folder, revision);
    if (direction === 'undo') return now.commit === commit ? 'applied' : 'not-applied';
    return now.commit === target && now.branch === undefined ? 'applied' : 'not-applied';
  },
});

const BRANCH = /^[^-][^\s~^:?*[\\]*$/;

function recorded({ commit, branch }: { commit?: unknown; branch?: unknown }) {
  // A receipt comes from afar: what is no commit and no branch could be an option of git.
  if (
    typeof commit !== 'string' ||
    !/^[0-9a-f]{40,64}$/.test(commit) ||
    (typeof branch === 'string' && !BRANCH.test(branch))
  )
    throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded which commit was checked out');
  return { commit, branch: typeof branch === 'string' ? branch : undefined };
}

async function requireClean(context: HostContext, folder: string): Promise<void> {
  const [problem] = await dirtyProblem(context, folder);
  if (problem) throw problem;
}

async function requireCommit(context: HostContext, folder: string, wanted: string): Promise<void> {
  const { commit } = await headOf(context, folder);
  if (commit !== wanted) throw actionError('SB-ACT-GIT-REVISION', `${folder} is at ${commit}, not at ${wanted}`);
  await requireClean(context, folder);
}
