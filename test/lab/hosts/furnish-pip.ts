import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINER_UNIT } from '../furnish-miner.ts';
import { minerWheels } from '../furnish-pip-miner.ts';
import type { LabHost } from './lab-host.ts';
import { MINER_VENV } from './plan.ts';

const WHEELS = '/srv/wheels';

/** In place of the stand-in a real virtual environment with pip, which knows the miner's releases from a folder of the host. */
export async function furnishPip(host: LabHost): Promise<void> {
  await host.run(['systemctl', 'stop', MINER_UNIT]);
  for (const folder of [MINER_VENV, WHEELS]) rmSync(join(host.root, folder), { recursive: true, force: true });
  await minerWheels(join(host.root, WHEELS));
  const asMiner = ['runuser', '-u', 'miner', '--'] as const;
  await host.run([...asMiner, 'python3', '-m', 'venv', MINER_VENV]);
  writeFileSync(join(host.root, MINER_VENV, 'pip.conf'), `[global]\nno-index = true\nfind-links = ${WHEELS}\n`);
  await host.run([...asMiner, join(MINER_VENV, 'bin', 'pip'), 'install', '--quiet', 'r3mes-miner==0.9.0']);
  await host.run(['systemctl', 'start', MINER_UNIT]);
}
