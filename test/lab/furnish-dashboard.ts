import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './programs.ts';
import { createSandbox, type ServiceSandbox } from './sandbox.ts';

export const DASHBOARD_UNIT = 'r3mes-frontend.service';

export interface DashboardSandbox {
  sandbox: ServiceSandbox;
  folder: string;
  url: string;
}

export const NPM = join(dirname(process.execPath), 'npm');
export const DASHBOARD_CODE = join(REPOSITORY, 'test', 'lab', 'dashboard');

/** A host with the dashboard as its operators run it: built there by npm with the values of where it belongs. */
export function createDashboard(options: {
  dir: string;
  port: number;
  /** What is baked in. */
  built: Record<string, string>;
}): DashboardSandbox {
  const { dir, port, built } = options;
  const sandbox = createSandbox({
    dir,
    name: 'web-1',
    role: 'service',
    labels: { role: 'web' },
    unit: DASHBOARD_UNIT,
  });
  const { paths } = sandbox;
  writeFileSync(join(paths.bin, 'npm'), npmWrapper(dirname(process.execPath), NPM), { mode: 0o755 });
  const folder = join(paths.root, 'opt', 'r3mes', 'dashboard');
  mkdirSync(dirname(folder), { recursive: true });
  cpSync(DASHBOARD_CODE, folder, { recursive: true });
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: paths.root };
  const cache = ['--cache', join(dir, 'npm-cache')];
  execFileSync(NPM, ['ci', '--offline', '--no-audit', '--no-fund', ...cache], { cwd: folder, env, stdio: 'pipe' });
  execFileSync(process.execPath, ['build.js'], { cwd: folder, env: { ...env, ...built }, stdio: 'pipe' });
  const unit = dashboardUnit({ folder, port, node: process.execPath });
  writeFileSync(join(paths.packagedUnits, DASHBOARD_UNIT), unit);
  return { sandbox, folder, url: `http://127.0.0.1:${port}` };
}

/** npm's own first line asks `env` for node. */
export const npmWrapper = (nodeFolder: string, npm: string) => `#!/bin/sh\nPATH=${nodeFolder}:$PATH exec ${npm} "$@"\n`;

export const dashboardUnit = (options: { folder: string; port: number; node: string }) => `[Unit]
Description=R3MES dashboard

[Service]
User=r3mes
WorkingDirectory=${options.folder}
Environment=PORT=${options.port}
ExecStart=${options.node} server.js
Restart=always
RestartSec=300ms

[Install]
WantedBy=multi-user.target
`;
