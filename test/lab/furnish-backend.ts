import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAlembicScripts } from '@signalbox/protocol/testing';
import { REPOSITORY } from './programs.ts';
import { createSandbox, type ServiceSandbox } from './sandbox.ts';

export const BACKEND_UNIT = 'r3mes-backend.service';

export interface BackendOptions {
  dir: string;
  name?: string;
  port: number;
  databaseUrl: string;
  /** Revisions that this release of the backend can work with. */
  needs?: readonly string[];
  labels?: Record<string, string>;
}

export interface BackendSandbox {
  sandbox: ServiceSandbox;
  /** The code, with alembic.ini. */
  folder: string;
  /** What the unit reads its environment from. */
  envFile: string;
  port: number;
  url: string;
}

const REVISIONS = ['001_initial', '002_add_indexes', '003_add_lora_serving_node'];

/** A host with the R3MES backend as its operators run it: a unit, a file with its environment, code with Alembic scripts. */
export function createBackend({
  dir,
  name = 'backend-1',
  port,
  databaseUrl,
  needs,
  labels,
}: BackendOptions): BackendSandbox {
  const sandbox = createSandbox({
    dir,
    name,
    role: 'service',
    labels: { role: 'backend', ...labels },
    unit: BACKEND_UNIT,
  });
  const { paths } = sandbox;
  const folder = join(paths.root, 'opt', 'r3mes', 'backend');
  const envFile = join(paths.root, 'etc', 'r3mes', 'backend.env');
  for (const path of [folder, join(paths.root, 'etc', 'r3mes')]) mkdirSync(path, { recursive: true });
  writeBackend(folder, { version: '0.9.0', needs: needs ?? REVISIONS });
  writeFileSync(envFile, `# The backend of R3MES\nDATABASE_URL=${databaseUrl}\nPORT=${port}\n`, { mode: 0o600 });
  writeFileSync(join(paths.packagedUnits, BACKEND_UNIT), backendUnit(folder, envFile));
  return { sandbox, folder, envFile, port, url: `http://127.0.0.1:${port}` };
}

export const backendUnit = (folder: string, envFile: string) => `[Unit]
Description=R3MES backend

[Service]
User=r3mes
WorkingDirectory=${folder}
EnvironmentFile=${envFile}
ExecStart=/usr/bin/python3 ${join(folder, 'server.py')}
Restart=always
RestartSec=300ms

[Install]
WantedBy=multi-user.target
`;

/** Makes the code a clone, as the backend's operators have it. See `releaseCode`. */
export function releaseBackend({ sandbox, folder }: BackendSandbox, releases: readonly Release[]): void {
  releaseCode(folder, releases, { origin: join(sandbox.paths.root, 'srv', 'r3mes-backend.git') });
}

/**
 * Makes a folder with the backend's code a clone: what is there is v0.9.0, and each further release is a tag of the repository
 * that it was cloned from.
 * @param url of that repository, where it is another than its folder.
 */
export function releaseCode(
  folder: string,
  releases: readonly Release[],
  { origin, url = origin }: { origin: string; url?: string },
): void {
  git(folder, 'init', '--quiet', '--initial-branch=main');
  writeFileSync(join(folder, '.gitignore'), '__pycache__/\n');
  commit(folder, 'v0.9.0');
  for (const release of releases) {
    writeBackend(folder, release);
    commit(folder, `v${release.version}`);
  }
  git(folder, 'clone', '--quiet', '--bare', folder, origin);
  git(folder, 'remote', 'add', 'origin', url);
  git(folder, 'reset', '--quiet', '--hard', 'v0.9.0');
  for (const { version } of releases) git(folder, 'tag', '--delete', `v${version}`);
}

function commit(folder: string, tag: string): void {
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '-m', tag);
  git(folder, 'tag', tag);
}

function git(cwd: string, ...words: string[]): void {
  const who = ['-c', 'user.name=lab', '-c', 'user.email=lab@localhost'];
  const done = spawnSync('git', [...who, ...words], { cwd, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`git ${words.join(' ')}: ${done.stderr}`);
}

interface Release {
  version: string;
  /** Revisions of the schema that it can work with. */
  needs: readonly string[];
}

/** One release of the backend's code. */
export function writeBackend(folder: string, { version, needs }: Release): void {
  copyFileSync(join(REPOSITORY, 'test', 'lab', 'backend', 'server.py'), join(folder, 'server.py'));
  writeFileSync(join(folder, 'VERSION'), `${version}\n`);
  writeFileSync(join(folder, 'NEEDS'), `${needs.join('\n')}\n`);
  writeAlembicScripts(folder);
}
