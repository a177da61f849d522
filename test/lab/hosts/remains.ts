import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlGroup } from './cgroup.ts';
import { must } from './machine-program.ts';
import type { LabNetwork } from './network.ts';

/** Where a lab may leave something on the machine. */
export interface Places {
  /** Its folder: disks, packages, what its observer keeps. */
  folder: string;
  group: ControlGroup;
  network: LabNetwork;
  /** What systemd-nspawn makes for each host. */
  propagated: readonly string[];
}

/** What is still there of a lab, a thing a line: processes, mounts, network, groups, folders. Nothing after `down`. */
export async function remainsIn({ folder, group, network, propagated }: Places): Promise<string[]> {
  const links: { ifname: string }[] = JSON.parse(await must(['ip', '-json', 'link', 'show']));
  return [
    ...processesIn(folder).map((pid) => `process ${pid}`),
    ...mountsBelow(folder).map((mount) => `mount ${mount}`),
    ...links.filter(({ ifname }) => /^v[be]-/.test(ifname)).map(({ ifname }) => `interface ${ifname}`),
    ...[network.path, ...group.folders, folder, ...propagated].filter(existsSync),
  ];
}

/** Whoever was started for a host names its folder, and whoever runs on one sees no other disk. */
function processesIn(folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const ownMounts = mountNamespace('self');
  return pids.filter((pid) => {
    const elsewhere = mountNamespace(pid) !== ownMounts;
    const said = ['cmdline', ...(elsewhere ? ['mountinfo'] : [])].map((file) => read(join('/proc', `${pid}`, file)));
    return said.some((text) => text.includes(`${folder}/`));
  });
}

function mountsBelow(folder: string): string[] {
  const points = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`));
}

function mountNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** Processes end while they are looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
