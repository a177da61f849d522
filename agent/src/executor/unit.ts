import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Where the unified hierarchy is mounted: alone, or beside those of version 1 (systemd(1)). */
const HIERARCHIES = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/** The transient unit of a process, by its files, which are used once and never again. */
export const unitNameOf = (files: string): string => `signalbox-${basename(files)}.scope`;

/** Whether a unit is one of the processes of an execution. */
export const isUnitOf = (executionId: string) => (unit: string) => unit.startsWith(`signalbox-${executionId}.`);

/** Control groups of a process, as `/proc/<pid>/cgroup` says it (cgroups(7)): one path a hierarchy. */
function groupsOf(pid: number | 'self'): { hierarchy: string; path: string }[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [, hierarchy, path] = /^(\d+):[^:]*:(.+)$/.exec(line) ?? [];
    return hierarchy === undefined || path === undefined ? [] : [{ hierarchy, path }];
  });
}

/** All units that a process is in, the outermost first. */
export function unitsAround(pid: number | 'self'): string[] {
  return groupsOf(pid).flatMap(({ path }) => path.split('/').filter(Boolean));
}

export const isInUnit = (pid: number, unit: string): boolean => unitsAround(pid).includes(unit);

/**
 * Ends everything in the unit of this process at once, so that no fork escapes (cgroup.kill, Linux 5.14). Where the kernel
 * has it not, nothing happens.
 */
export function killUnit(pid: number, unit: string): void {
  const path =
    groupsOf(pid)
      .find(({ hierarchy }) => hierarchy === '0')
      ?.path.split('/') ?? [];
  const depth = path.indexOf(unit);
  if (depth < 0) return;
  for (const root of HIERARCHIES) {
    try {
      writeFileSync([root, ...path.slice(1, depth + 1), 'cgroup.kill'].join('/'), '1', { flag: 'r+' });
    } catch {
      // Mounted elsewhere, or it has just ended: whoever is left is ended one by one.
    }
  }
}
