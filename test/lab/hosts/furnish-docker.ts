import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { stringify } from 'yaml';
import { BACKEND_UNIT } from '../furnish-backend.ts';
import type { LabHost } from './lab-host.ts';

export const COMPOSE_FILE = '/opt/r3mes/compose/docker-compose.yml';
export const DOCKER_UNITS = ['docker.service', 'docker.socket', 'containerd.service'] as const;

const BASE = 'r3mes-base';
/** No network of its own, and plain folders for layers: the host's own disk is an overlay, and nothing leaves the lab. */
const ENGINE = { bridge: 'none', iptables: false, 'ip-masq': false, 'storage-driver': 'vfs' };
/** nspawn shows a host the machine's controllers read-only, each below the host's own group; of cpuset it has no such group. */
const CONTROLLERS = `for folder in /sys/fs/cgroup/*/; do mount -o remount,bind,rw $folder; done; umount /sys/fs/cgroup/cpuset`;

/** The backend as a service of a compose file in place of its unit; its image is built from the code, which it also mounts. */
export async function runInContainer(host: LabHost, files: { code: string; env: string }): Promise<void> {
  await host.run(['systemctl', 'disable', '--now', BACKEND_UNIT]);
  await startEngine(host);
  await host.run(['docker', 'import', '-', BASE], { input: emptySystem() });
  const folder = '/opt/r3mes/compose';
  host.put(join(folder, 'Dockerfile'), `FROM ${BASE}\nCOPY VERSION server.py /release/\n`);
  host.put(COMPOSE_FILE, stringify({ version: '3', services: { backend: service(files, folder) } }));
  await host.run([
    'docker-compose',
    '--file',
    COMPOSE_FILE,
    'up',
    '--detach',
    '--build',
    '--force-recreate',
    'backend',
  ]);
}

/** With the Python of its host, so that nothing has to be fetched. */
const service = ({ code, env }: { code: string; env: string }, folder: string) => ({
  build: { context: code, dockerfile: join(folder, 'Dockerfile') },
  image: 'r3mes-backend',
  network_mode: 'host',
  env_file: env,
  working_dir: code,
  command: ['/usr/bin/python3', join(code, 'server.py')],
  volumes: ['/usr:/usr:ro', `${code}:${code}:ro`],
  restart: 'unless-stopped',
});

async function startEngine(host: LabHost): Promise<void> {
  host.put('/etc/docker/daemon.json', JSON.stringify(ENGINE));
  host.put('/etc/systemd/system/docker.service.d/lab.conf', `[Service]\nExecStartPre=-/bin/sh -c '${CONTROLLERS}'\n`);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'enable', '--now', 'docker.service']);
  await until('the engine to answer', async () => (await host.exec(['docker', 'info'])).exitCode === 0);
}

/** An archive of a file system without a file: only the links by which Debian's programs find what is below /usr. */
function emptySystem(): string {
  const root = mkdtempSync(join(tmpdir(), 'sb-image-'));
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(root, name));
  for (const name of ['usr', 'tmp']) mkdirSync(join(root, name));
  const packed = spawnSync('tar', ['--directory', root, '--create', '.'], { encoding: 'latin1' });
  rmSync(root, { recursive: true });
  return packed.stdout;
}

/** What the containers of a host are made from, and whether they run. */
export async function containersOn(host: LabHost): Promise<string> {
  const ids = (await host.run(['docker', 'ps', '--all', '--quiet'])).split('\n').filter(Boolean);
  if (ids.length === 0) return '';
  return await host.run(['docker', 'inspect', '--format', '{{.Name}} {{.Image}} {{.State.Running}}', ...ids]);
}
