import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { BACKEND_UNIT, backendUnit } from '../furnish-backend.ts';
import { NGINX_UNIT } from '../furnish-nginx.ts';
import { GREEN_UNIT } from '../furnish-proxy.ts';
import type { LabHost } from './lab-host.ts';

export { GREEN_UNIT, NGINX_UNIT };
/** People who use the site while it runs. It ends with an error as soon as one request fails. */
export const USERS_UNIT = 'r3mes-users.service';
export const AUTHORITY_FILE = '/etc/r3mes/tls.pem';

const KEY_FILE = '/etc/r3mes/tls.key';
const GREEN_CODE = '/opt/r3mes/backend-green';
export const GREEN_ENV = '/etc/r3mes/backend-green.env';
const UPSTREAM = 'r3mes_backend';
const USERS = '/usr/local/bin/r3mes-users';

/** nginx in front of the backend (blue), and beside that one a second one (green), which nobody has started. */
export async function furnishProduction(host: LabHost, blueCode: string): Promise<void> {
  await furnishGreen(host, blueCode);
  await makeCertificate(host);
  host.put('/etc/nginx/conf.d/r3mes-upstream.conf', `upstream ${UPSTREAM} {\n  server 127.0.0.1:8000;\n}\n`);
  host.put('/etc/nginx/sites-available/default', SITES);
  host.put(USERS, USERS_PROGRAM, 0o755);
  host.put(`/etc/systemd/system/${USERS_UNIT}`, `[Service]\nUser=r3mes\nExecStart=${USERS}\n`);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'restart', NGINX_UNIT]);
}

/** It asks the database as the user that it runs as, so there is no password in its file. */
async function furnishGreen(host: LabHost, blueCode: string): Promise<void> {
  const [blue, green] = [join(host.root, blueCode), join(host.root, GREEN_CODE)];
  rmSync(green, { recursive: true, force: true });
  cpSync(blue, green, { recursive: true });
  await host.run(['chown', '--recursive', 'r3mes:r3mes', GREEN_CODE]);
  const variables = ['DATABASE_URL=postgresql:///r3mes', 'PORT=8001', 'R3MES_ENV=production'];
  host.put(GREEN_ENV, `${[...variables, 'CORS_ALLOWED_ORIGINS=https://app.r3mes.io'].join('\n')}\n`, 0o600);
  host.put(`/usr/lib/systemd/system/${GREEN_UNIT}`, backendUnit(GREEN_CODE, GREEN_ENV));
}

async function makeCertificate(host: LabHost): Promise<void> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '90'];
  const names = ['-subj', '/CN=api.r3mes.io', '-addext', 'subjectAltName=DNS:api.r3mes.io'];
  await host.run(['openssl', 'req', '-x509', ...curve, ...names, '-keyout', KEY_FILE, '-out', AUTHORITY_FILE]);
}

/** What browsers get, and beside it a monitoring that is content. */
const SITES = `server {
  listen 80;
  listen 443 ssl;
  ssl_certificate ${AUTHORITY_FILE};
  ssl_certificate_key ${KEY_FILE};
  location / {
    proxy_pass http://${UPSTREAM};
  }
}
server {
  listen 127.0.0.1:9090;
  access_log off;
  return 200;
}
`;

const USERS_PROGRAM = `#!/usr/bin/python3
import sys, time, urllib.request
while True:
    urllib.request.urlopen("http://127.0.0.1/api/v1/status", timeout=10).read()
    if "--once" in sys.argv:
        break
    time.sleep(0.05)
`;

/** Blue takes its time from its start until it serves, as a real one does. Users come as soon as it does, and stay. */
export async function openSite(host: LabHost, blueCode: string): Promise<void> {
  const slow = `/bin/sh -c "sleep 3; exec /usr/bin/python3 ${blueCode}/server.py"`;
  host.put(`/etc/systemd/system/${BACKEND_UNIT}.d/slow.conf`, `[Service]\nExecStart=\nExecStart=${slow}\n`);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'restart', BACKEND_UNIT]);
  await until('the site to answer', async () => (await host.exec([USERS, '--once'])).exitCode === 0);
  await host.run(['systemctl', 'start', USERS_UNIT]);
}
