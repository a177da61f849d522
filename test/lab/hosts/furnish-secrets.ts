import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { BACKEND_UNIT } from '../furnish-backend.ts';
import { PYTHON, READ_SECRET, storeVariables } from '../moto.ts';
import { REPOSITORY } from '../programs.ts';
import type { LabHost } from './lab-host.ts';

/** A store of secrets that answers as AWS does, and forgets everything when it ends. */
export const STORE_UNIT = 'secrets-store.service';
/** Where a host sees it. */
export const MOTO_ON_HOST = '/usr/lib/signalbox-moto';
export const SECRET = 'r3mes/production';

const PORT = 5_000;
const VARIABLES = Object.entries(storeVariables(`http://127.0.0.1:${PORT}`)).map(([name, value]) => `${name}=${value}`);
const LIBRARY = `PYTHONPATH=${MOTO_ON_HOST}`;

/** Where the agent finds the store; elsewhere that is the role of the machine. */
export const AGENT_VARIABLES = `${VARIABLES.join('\n')}\n`;

export async function furnishSecrets(host: LabHost): Promise<void> {
  const program = `${PYTHON} -m moto.server -H 127.0.0.1 -p ${PORT}`;
  host.put(`/etc/systemd/system/${STORE_UNIT}`, `[Service]\nEnvironment=${LIBRARY}\nExecStart=${program}\n`);
  await host.run(['systemctl', 'daemon-reload']);
}

/** What the store says that the secret holds, or that there is none. */
export const secretContent = (host: LabHost) =>
  host.run(['env', LIBRARY, ...VARIABLES, PYTHON, '-c', READ_SECRET, SECRET]);

/** An empty store, and a release of the backend that can fetch its secrets there. */
export async function openStore(host: LabHost, files: { code: string; env: string }): Promise<void> {
  await host.run(['systemctl', 'restart', STORE_UNIT]);
  await until('the store to answer', async () => (await secretContent(host).catch(() => '')) !== '');
  copyFileSync(
    join(REPOSITORY, 'test', 'lab', 'backend', 'secret_manager.py'),
    join(host.root, files.code, 'secret_manager.py'),
  );
  host.put(files.env, `${host.get(files.env)}${[LIBRARY, ...VARIABLES].join('\n')}\n`, 0o600);
  await host.run(['systemctl', 'restart', BACKEND_UNIT]);
}
