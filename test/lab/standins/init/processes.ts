import { readdirSync, readFileSync } from 'node:fs';

/** Pids of a process group that still run; a zombie has ended and only waits to be read. */
export function groupMembers(group: number): number[] {
  const members: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readStat(entry);
    if (stat && stat.group === group && stat.state !== 'Z') members.push(Number(entry));
  }
  return members;
}

function readStat(pid: string): { state: string; group: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name stands in brackets and may hold blanks and brackets itself: proc(5).
    const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: state ?? '', group: Number(group) };
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}

/** @returns false when nobody is left to be signalled. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

const LOOK_EVERY_MS = 5;

/** What a main process left behind goes with it, as with the control group of the real one. */
export async function emptyGroup(group: number): Promise<void> {
  if (group === 0) return;
  while (signalGroup(group, 'SIGKILL') && groupMembers(group).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
