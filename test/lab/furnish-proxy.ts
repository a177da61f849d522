import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_UNIT, type BackendSandbox } from './furnish-backend.ts';

export const NGINX = '/usr/sbin/nginx';
export const GREEN_UNIT = 'r3mes-backend-green.service';

export interface Proxied {
  config: string;
  upstreamFile: string;
  accessLog: string;
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

  const etc = join(paths.root, 'etc', 'nginx');
  const [config, upstreamFile] = [join(etc, 'nginx.conf'), join(etc, 'conf.d', 'r3mes-upstream.conf')];
  const accessLog = join(paths.logs, 'access.log');
  const run = join(paths.root, 'run');
  mkdirSync(join(etc, 'conf.d'), { recursive: true });
  mkdirSync(run, { recursive: true });
  writeFileSync(upstreamFile, `upstream r3mes_backend {\n  server 127.0.0.1:${backend.port};\n}\n`);
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${run}/${name};`,
  );
  writeFileSync(
    config,
    `daemon off;
user root;
pid ${run}/nginx.pid;
error_log ${paths.logs}/nginx-error.log;
worker_processes 2;
events {}
http {
${folders.join('\n')}
  access_log ${accessLog};
  include ${etc}/conf.d/*.conf;
  server {
    listen 127.0.0.1:${ports.proxy};
    location / {
      proxy_pass http://r3mes_backend;
    }
  }
}
`,
  );
  writeFileSync(
    join(paths.packagedUnits, 'nginx.service'),
    `[Unit]\nDescription=nginx\n\n[Service]\nExecStart=${NGINX} -e ${paths.logs}/nginx-error.log -c ${config}\nRestart=on-failure\n`,
  );
  symlinkSync(join(paths.packagedUnits, 'nginx.service'), join(paths.wants, 'nginx.service'));
  const address = `127.0.0.1:${ports.green}`;
  const made = { unit: GREEN_UNIT, folder, envFile, url: `http://${address}`, address };
  return { config, upstreamFile, accessLog, url: `http://127.0.0.1:${ports.proxy}`, green: made };
}
