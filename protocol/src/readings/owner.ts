import { stat } from 'node:fs/promises';

type Argv = readonly [string, ...string[]];

/**
 * The argv that runs a program as the owner of a folder. Code in a folder is its owner's: a hook, env.py or a build script that
 * ran as root because the agent does would give that owner the host. And files that root makes there, the owner could not change.
 */
export async function asOwner(folder: string, argv: Argv): Promise<Argv> {
  const { uid, gid } = await stat(folder);
  if (process.geteuid?.() !== 0 || uid === 0) return argv;
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...argv];
}
