import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hierarchies } from './cgroup.ts';

const PROGRAMS = [
  'systemd-nspawn',
  'debootstrap',
  'ip',
  'nsenter',
  'mount',
  'dpkg-deb',
  'dpkg-shlibdeps',
  'readelf',
  'strip',
];

/** Why there can be no lab on this machine, in one line; undefined where there can. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux') return 'systemd hosts need Linux';
  if (process.getuid?.() !== 0) return 'systemd hosts need root';
  const missing = PROGRAMS.filter((name) => !onPath(name));
  if (missing.length > 0) return `no ${missing.join(', ')} on this machine`;
  if (!readFileSync('/proc/filesystems', 'utf8').includes('overlay')) return 'the kernel has no overlayfs';
  if (!existsSync('/etc/debian_version')) return 'hosts are made from the package sources of a Debian machine';
  return hierarchies().length === 0 ? 'no cgroup hierarchy that can be written to' : undefined;
}

function onPath(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
