import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { findProgram, succeed } from '../support/exec.ts';
import { HostPath, own, syncFolderOf } from '../support/files.ts';
import { copyTree } from '../support/tree.ts';
import { VariableName } from '../support/variables.ts';

const With = z.strictObject({
  folder: HostPath.describe('The project, with package.json and a lock file. It is not changed.'),
  script: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9:._-]*$/, 'the name of a script')
    .default('build')
    .describe('The script of package.json that builds.'),
  environment: z
    .record(VariableName, z.string().min(1))
    .default({})
    .describe('Variables of the build. No secrets: what a build bakes in is served to everybody.'),
  skip: z
    .array(z.string().regex(/^[^/]+$/, 'a name, no path'))
    .default(['node_modules', '.next'])
    .describe('What of the folder is not copied, because installing or building makes it anew.'),
});
type With = z.infer<typeof With>;

/** Written last: a folder without it was never finished. */
const DONE = '.signalbox-built';

export const npmBuild = defineAction<With>({
  name: 'npm.build',
  version: 1,
  summary:
    'Copies a project beside itself, installs exactly what its lock file says, and builds it there with the variables that are given; undo removes the copy.',
  schema: With,
  effect: 'reversible',
  does: 'build {folder} in a copy of it',
  undoes: 'the copy removed',
  touches: ['path:{folder}'],
  receipt: { folder: 'the copy, built' },
  timeoutMs: 30 * 60_000,

  async check(context, input) {
    const problems = (await projectProblems(input)).map(({ failure }) => failure);
    if (!findProgram(context, 'npm')) problems.push(actionError('SB-ACT-PROGRAM-MISSING', 'no npm here').failure);
    const into = `${input.folder}.signalbox-${context.executionId}`;
    if (await lstat(into).catch(() => undefined)) {
      problems.push(actionError('SB-ACT-BACKUP-EXISTS', `${into} is there already`).failure);
    }
    const names = Object.keys(input.environment).join(' ');
    return { before: { own: { into } }, note: names === '' ? 'no variables' : `with ${names}`, problems };
  },

  async run(context, input, before) {
    const { folder, script, environment, skip } = input;
    const [problem] = await projectProblems(input);
    if (problem) throw problem;
    const into = intoOf(before);
    await rm(into, { recursive: true, force: true });
    await copyTree(folder, into, context.signal, (name) => !skip.includes(name));
    // Of the copy, not of root's home: the owner of the code may not write there, and no other build's packages are trusted.
    const cache = join(into, '.npm-cache');
    const env = { npm_config_cache: cache, npm_config_update_notifier: 'false', HOME: into };
    await npm(context, into, ['ci', '--no-audit', '--no-fund', '--include=dev'], env);
    await npm(context, into, ['run', script], { ...env, ...environment });
    await rm(cache, { recursive: true, force: true });
    await writeFile(join(into, DONE), `${context.executionId}\n`);
    await own(join(into, DONE), await lstat(folder));
    await syncFolderOf(join(into, DONE));
    return { folder: into };
  },

  async undo(_context, _input, receipt) {
    if (Object.keys(receipt).length === 0) return { removed: false };
    const into = intoOf(receipt);
    const there = await lstat(into).catch(() => undefined);
    await rm(into, { recursive: true, force: true });
    return { removed: there !== undefined };
  },

  async probe(_context, _input, { direction, receipt }) {
    const into = intoOf(receipt);
    const there = (await lstat(into).catch(() => undefined)) !== undefined;
    if (direction === 'undo') return there ? 'not-applied' : 'applied';
    if (!there) return 'not-applied';
    return (await lstat(join(into, DONE)).catch(() => undefined)) ? 'applied' : 'partial';
  },
});

async function npm(context: HostContext, folder: string, words: string[], env: Record<string, string>) {
  const argv = await asOwner(folder, ['npm', '--prefix', folder, ...words]);
  await succeed(context, argv, { cwd: folder, env });
}

async function projectProblems({ folder, script }: With) {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return [actionError('SB-ACT-NPM-PROJECT', `${folder} has no package.json`)];
  const scripts = scriptsIn(text);
  const problems = [];
  if (scripts === undefined) problems.push(actionError('SB-ACT-NPM-PROJECT', `${folder}/package.json is no JSON`));
  else if (typeof scripts[script] !== 'string') {
    problems.push(actionError('SB-ACT-NPM-PROJECT', `${folder}/package.json has no script ${script}`));
  }
  const locks = ['package-lock.json', 'npm-shrinkwrap.json'].map((name) => lstat(join(folder, name)));
  if ((await Promise.allSettled(locks)).every(({ status }) => status === 'rejected')) {
    problems.push(actionError('SB-ACT-NPM-PROJECT', `${folder} has no package-lock.json`));
  }
  return problems;
}

function scriptsIn(text: string): JsonObject | undefined {
  try {
    const project: unknown = JSON.parse(text);
    const scripts = typeof project === 'object' && project !== null && 'scripts' in project ? project.scripts : {};
    return typeof scripts === 'object' && scripts !== null ? { ...scripts } : {};
  } catch {
    return undefined;
  }
}

/** @throws SB-ACT-NO-RECEIPT */
function intoOf({ own: made }: JsonObject): string {
  const into = isJsonObject(made) ? made.into : undefined;
  // The last line of defence of a recursive removal: only what this action named itself.
  if (typeof into !== 'string' || dirname(into) === '/' || !basename(into).includes('.signalbox-')) {
    throw actionError('SB-ACT-NO-RECEIPT', 'where the copy was made was not recorded');
  }
  return into;
}
