import { link, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { commitOf, dirtyProblem, headOf } from '../git/repository.ts';
import { executable, findProgram, succeed } from '../support/exec.ts';
import { copyDurably, HostPath, lookAtFile, own, sha256File, sha256IfThere, syncFolderOf } from '../support/files.ts';

const With = z.strictObject({
  folder: HostPath.describe('The working tree, with go.mod. go runs as its owner.'),
  revision: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'a commit or a tag')
    .optional()
    .describe('The commit or tag that must be checked out; git.checkout does that.'),
  package: z
    .string()
    .regex(/^\.(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)*$/, 'a folder below the working tree, as in ./cmd/remesd')
    .describe('What is built, as in ./cmd/remesd.'),
  output: HostPath.describe('The file that is made. It must not be there yet; its folder must.'),
  variables: z
    .record(
      z.string().regex(/^[A-Za-z0-9._/-]+\.[A-Za-z0-9_]+$/, 'package.Name'),
      z.string().regex(/^[A-Za-z0-9._+-]+$/),
    )
    .default({})
    .describe('Strings that the linker sets (-X), such as the version that the program prints.'),
  go: HostPath.optional().describe('The go program; when not given, the one on the PATH.'),
});
type With = z.infer<typeof With>;

export const goBuild = defineAction<With>({
  name: 'go.build',
  version: 1,
  summary:
    'Builds a program of an unchanged working tree to a path that is named, and never to where `go install` of that day puts it; undo removes the file.',
  schema: With,
  effect: 'reversible',
  does: 'build {package} of {folder} as {output}',
  undoes: '{output} removed',
  touches: ['path:{output}'],
  receipt: { commit: 'what it was built of', sha256: 'of the file' },
  timeoutMs: 60 * 60_000,

  async check(context, input) {
    const { folder, output } = input;
    const problems = [];
    if (!hasGo(context, input)) problems.push(actionError('SB-ACT-PROGRAM-MISSING', 'no go here').failure);
    if (!(await lookAtFile(join(folder, 'go.mod'))))
      problems.push(actionError('SB-ACT-GO-MODULE', `${folder} has no go.mod`).failure);
    if (await lstat(output).catch(() => undefined))
      problems.push(actionError('SB-ACT-OUTPUT-EXISTS', `${output} is there already`).failure);
    await lstat(dirname(output));
    problems.push(...(await treeProblems(context, input)).map(({ failure }) => failure));
    const { commit } = await headOf(context, folder);
    return { before: { commit }, note: `of ${commit.slice(0, 8)}`, problems };
  },

  async run(context, input, before) {
    const { folder, output } = input;
    const [problem] = await treeProblems(context, input);
    if (problem) throw problem;
    const { commit } = await headOf(context, folder);
    if (commit !== before.commit) throw actionError('SB-ACT-GIT-REVISION', `${folder} was at another commit`);
    const stage = stageOf(context, input);
    await rm(stage, { recursive: true, force: true });
    await mkdir(stage, { mode: 0o700 });
    try {
      await own(stage, await lstat(folder));
      const built = join(stage, 'built');
      await compile(context, input, { stage, built });
      const made = join(stage, 'made');
      const { uid, gid } = await lstat(dirname(output));
      await copyDurably(built, made, { uid, gid, mode: 0o755 });
      const sha256 = await sha256File(made);
      // A link and no rename: what somebody has put there meanwhile is not replaced.
      await link(made, output).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        throw actionError('SB-ACT-OUTPUT-EXISTS', `${output} is there by now`, { cause: error });
      });
      await syncFolderOf(output);
      return { sha256 };
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  },

  async undo(context, input, receipt) {
    await rm(stageOf(context, input), { recursive: true, force: true });
    const now = await sha256IfThere(input.output);
    if (now === undefined) return { removed: false };
    if (receipt.sha256 !== undefined && now !== receipt.sha256)
      throw actionError('SB-ACT-CHECKSUM', `${input.output} is not what was built: it has sha256 ${now}`);
    await rm(input.output);
    await syncFolderOf(input.output);
    return { removed: true };
  },

  async probe(_context, { output }, { direction }: { direction: 'do' | 'undo'; receipt: JsonObject }) {
    const there = (await lookAtFile(output)) !== undefined;
    return there === (direction === 'do') ? 'applied' : 'not-applied';
  },
});

function hasGo(context: HostContext, { go }: With): boolean {
  return go === undefined ? findProgram(context, 'go') : executable(go);
}

/** Beside the file that is made: the folder above is its owner's, and the file system is the same. */
function stageOf({ executionId }: HostContext, { output }: With): string {
  return `${output}.signalbox-${executionId}`;
}

async function treeProblems(context: HostContext, { folder, revision }: With) {
  const { commit } = await headOf(context, folder);
  const problems = await dirtyProblem(context, folder);
  if (revision !== undefined && (await commitOf(context, folder, revision)) !== commit)
    problems.push(actionError('SB-ACT-GIT-REVISION', `${folder} is at ${commit.slice(0, 8)}, not at ${revision}`));
  return problems;
}

/** Nothing of another build is trusted, and no other toolchain is fetched than the one that is here. */
async function compile(context: HostContext, input: With, { stage, built }: { stage: string; built: string }) {
  const { folder, go = 'go', variables } = input;
  const stamps = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const flags = stamps.length === 0 ? [] : ['-ldflags', stamps.join(' ')];
  const words = ['build', '-trimpath', '-buildvcs=false', ...flags, '-o', built, input.package] as const;
  const env = {
    ...{ HOME: stage, GOPATH: join(stage, 'go'), GOCACHE: join(stage, 'cache'), GOMODCACHE: join(stage, 'modules') },
    ...{ GOTOOLCHAIN: 'local', GOFLAGS: '-modcacherw', GOENV: 'off', GOWORK: 'off' },
  };
  await succeed(context, await asOwner(folder, [go, ...words]), { cwd: folder, env });
}
