import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPaths } from './paths.ts';

export const NGINX = '/usr/sbin/nginx';
export const NGINX_UNIT = 'nginx.service';

export interface NginxOptions {
  /** Address and port. */
  readonly listen: string;
  readonly upstream: string;
  readonly servers: readonly string[];
}

export interface NginxFiles {
  config: string;
  /** Holds the upstream and nothing else. */
  upstreamFile: string;
  /** In the format `combined`. */
  accessLog: string;
}

/** A real nginx as a unit of the host, which sends all requests to one upstream. Whether it starts at boot is the caller's. */
export function installNginx(paths: HostPaths, { listen, upstream, servers }: NginxOptions): NginxFiles {
  const [etc, run] = [join(paths.root, 'etc', 'nginx'), join(paths.root, 'run')];
  const [config, upstreamFile] = [join(etc, 'nginx.conf'), join(etc, 'conf.d', `${upstream}.conf`)];
  const accessLog = join(paths.logs, 'access.log');
  mkdirSync(join(etc, 'conf.d'), { recursive: true });
  mkdirSync(run, { recursive: true });
  writeFileSync(
    upstreamFile,
    `upstream ${upstream} {\n${servers.map((server) => `  server ${server};\n`).join('')}}\n`,
  );
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
    listen ${listen};
    location / {
      proxy_pass http://${upstream};
    }
  }
}
`,
  );
  writeFileSync(
    join(paths.packagedUnits, NGINX_UNIT),
    `[Unit]\nDescription=nginx\n\n[Service]\nExecStart=${NGINX} -e ${paths.logs}/nginx-error.log -c ${config}\nRestart=on-failure\n`,
  );
  return { config, upstreamFile, accessLog };
}
