import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessGroup } from '../ports.ts';
import { COMMAND_VARIABLE } from './environment.ts';
import { isUnitOf, unitsAround } from './unit.ts';

/** What `/proc/<pid>/stat` says (proc(5)): state is field 3, the group field 5, the start time field 22. */
export interface ProcessStat {
  pid: number;
  state: string;
  group: number;
  startTicks: string;
}

export function statOf(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name stands in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , group = ''] = fields;
  return { pid, state, group: Number(group), startTicks: fields[19] ?? '' };
}

/** Whether this very process is there: not one that got its number later, nor one that only waits to be reaped. */
export function isAlive({ pid, startTicks }: ProcessGroup): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z' && (startTicks === undefined || stat.startTicks === startTicks);
}

/** Whether the leader's number belongs to a later process by now. The group of a leader that has ended is still its own. */
export function isTaken({ pid, startTicks }: ProcessGroup): boolean {
  const stat = statOf(pid);
  return stat !== undefined && startTicks !== undefined && stat.startTicks !== startTicks;
}

/** Signals a whole process group. False when there is none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** A command, by what its processes carry and by what its units are called. */
export interface CommandMarks {
  id: string;
  executionId: string;
}

/**
 * Process groups of a command that still have a living member. A group whose leader's number belongs to a later process
 * by now is another one. When a start may have been under way (`uncertain`), or it is not known when a leader started,
 * processes are found by the command's mark in their environment, and by their unit, instead.
 */
export function livingGroups(
  { id, executionId }: CommandMarks,
  groups: readonly ProcessGroup[],
  { uncertain }: { uncertain: boolean },
): ProcessGroup[] {
  const processes = allProcesses();
  const known = groups.filter(({ pid: leaderPid, startTicks }) => {
    const leader = processes.find(({ pid }) => pid === leaderPid);
    const another = startTicks === undefined || (leader !== undefined && leader.startTicks !== startTicks);
    return !another && processes.some(({ group }) => group === leaderPid);
  });
  if (!uncertain && groups.every(({ startTicks }) => startTicks !== undefined)) return known;
  const isOwn = (pid: number) => carries(pid, COMMAND_VARIABLE, id) || unitsAround(pid).some(isUnitOf(executionId));
  const marked = processes.filter(({ pid }) => isOwn(pid)).map(({ group }) => group);
  const fresh = new Set(marked.filter((pid) => !known.some((group) => group.pid === pid)));
  return [...known, ...[...fresh].map((pid) => ({ pid, startTicks: statOf(pid)?.startTicks }))];
}

/** All that live; what only waits to be reaped does not. */
export function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined)
    .filter(({ state }) => state !== 'Z');
}

/** Whether a process was given this variable with this value when it began. */
export function carries(pid: number, variable: string, value: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${variable}=${value}`);
  } catch {
    return false;
  }
}
