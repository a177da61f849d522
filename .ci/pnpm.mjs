// pnpm in the version that package.json pins, fetched by npm: nobody has to install it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** Runs `pnpm ARGS` at the root, without a terminal. @returns what `spawnSync` does, and the command line for people. */
export function pnpm(args) {
  const registry = npmRegistry();
  const env = {
    ...process.env,
    // Without a terminal pnpm would wait for an answer when it has to make node_modules anew.
    CI: 'true',
    // npm has fetched exactly the version that package.json pins; pnpm need not look after its own version once more
    // (it would want that version recorded in the lockfile, and a frozen lockfile is not written).
    pnpm_config_pm_on_fail: 'ignore',
    ...(registry ? { pnpm_config_registry: registry } : {}),
  };
  const argv = ['exec', '--yes', readJson('package.json').packageManager, '--', ...args];
  return { ...spawnSync('npm', argv, { cwd: root, env, encoding: 'utf8' }), command: `npm ${argv.join(' ')}` };
}

/** npm knows the registry from all its places (user, project, environment); pnpm reads only some of them. */
function npmRegistry() {
  if (process.env.pnpm_config_registry) return process.env.pnpm_config_registry;
  const asked = spawnSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' });
  const url = asked.status === 0 ? asked.stdout.trim() : '';
  return /^https?:\/\//.test(url) ? url : undefined;
}
