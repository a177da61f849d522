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
  writeFileSync(
    join(paths.packagedUnits, BACKEND_UNIT),
    `[Unit]
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
`,
  );
  return { sandbox, folder, envFile, port, url: `http://127.0.0.1:${port}` };
}

/** One release of the backend's code. */
export function writeBackend(folder: string, { version, needs }: { version: string; needs: readonly string[] }): void {
  copyFileSync(join(REPOSITORY, 'test', 'lab', 'backend', 'server.py'), join(folder, 'server.py'));
  writeFileSync(join(folder, 'VERSION'), `${version}\n`);
  writeFileSync(join(folder, 'NEEDS'), `${needs.join('\n')}\n`);
  writeAlembicScripts(folder);
}
