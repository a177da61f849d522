import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_UNIT, type BackendSandbox } from './furnish-backend.ts';
import { installNginx, NGINX_UNIT, type NginxFiles } from './furnish-nginx.ts';

export const GREEN_UNIT = 'r3mes-backend-green.service';

export interface Proxied extends NginxFiles {
  url: string;
  green: { unit: string; folder: string; envFile: string; url: string; address: string };
}

/** Puts a real nginx in front of a backend, and beside that one (blue) a second one (green), which nobody has started. */
export function addProxyAndGreen(backend: BackendSandbox, ports: { proxy: number; green: number }): Proxied {
  const { paths } = backend.sandbox;
  const folder = join(paths.root, 'opt', 'r3mes', 'backend-green');
  cpSync(backend.folder, folder, { recursive: true });
  const envFile = join(paths.root, 'etc', 'r3mes', 'backend-green.env');
  const env = readFileSync(backend.envFile, 'utf8').replace(/PORT=\d+/, `PORT=${ports.green}`);
  writeFileSync(envFile, `${env}R3MES_ENV=production\n`, { mode: 0o600 });
  const blue = readFileSync(join(paths.packagedUnits, BACKEND_UNIT), 'utf8');
  const green = blue.replaceAll(backend.folder, folder).replace(backend.envFile, envFile);
  writeFileSync(join(paths.packagedUnits, GREEN_UNIT), green);

  const listen = `127.0.0.1:${ports.proxy}`;
  const servers = [`127.0.0.1:${backend.port}`];
  const nginx = installNginx(paths, { listen, upstream: 'r3mes_backend', servers });
  symlinkSync(join(paths.packagedUnits, NGINX_UNIT), join(paths.wants, NGINX_UNIT));
  const address = `127.0.0.1:${ports.green}`;
  const made = { unit: GREEN_UNIT, folder, envFile, url: `http://${address}`, address };
  return { ...nginx, url: `http://${listen}`, green: made };
}
