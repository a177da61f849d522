import type { ProcessGroup } from '../ports.ts';
import { PROCESS_VARIABLE } from './environment.ts';
import { allProcesses, carries, isTaken, signalGroup } from './processes.ts';
import type { Tree } from './starter.ts';
import { isInUnit, killUnit } from './unit.ts';

/**
 * The group of a process, whatever carries its mark in the environment, and whatever is in its unit: what made a session of
 * its own has left the group, what also cleared its environment has lost the mark, and nothing leaves a unit by itself.
 * Each is asked to end once, also what is forked while one asks: many programs take a second request for impatience.
 */
export function treeOf(group: ProcessGroup | undefined, { mark, unit }: { mark: string; unit?: string }): Tree {
  const asked = new Set<number>();
  const belongs = (pid: number) => (unit !== undefined && isInUnit(pid, unit)) || carries(pid, PROCESS_VARIABLE, mark);
  const members = () => {
    const leader = group !== undefined && !isTaken(group) ? group.pid : undefined;
    return allProcesses().filter(({ pid, group: of }) => of === leader || belongs(pid));
  };
  return {
    askToEnd() {
      // As a group, no fork falls between; only who left it is looked for.
      if (group !== undefined && asked.size === 0 && !isTaken(group)) signalGroup(group.pid, 'SIGTERM');
      for (const { pid, group: of } of members()) {
        if (of !== group?.pid && !asked.has(pid)) signalOne(pid, 'SIGTERM');
        asked.add(pid);
      }
    },
    kill() {
      const inside = unit && members().find(({ pid }) => isInUnit(pid, unit));
      if (inside) killUnit(inside.pid, unit);
      if (group !== undefined && !isTaken(group)) signalGroup(group.pid, 'SIGKILL');
      for (const { pid } of members()) signalOne(pid, 'SIGKILL');
    },
    isAlive: () => members().length > 0,
  };
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
