import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from './figures.ts';

const WATCH_MS = 20_000;
/**
 * What starting up has used V8 collects once, in a tenth of a second, 8 to 20 s after a program went quiet. That is a cost of
 * the start and not of being idle.
 */
const SETTLE_MS = 24_000;

/** What an agent costs its host while nothing is asked of it, from the kernel's own books. */
export async function idleAgent(pid: number): Promise<Row[]> {
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  await pause(SETTLE_MS);
  const before = cpuTicks(pid);
  const startMs = performance.now();
  await pause(WATCH_MS);
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuPercent = ((cpuTicks(pid) - before) / ticksPerSecond / seconds) * 100;
  return [
    { what: 'idle agent, resident memory', unit: 'MB', value: residentMb(pid), target: { value: 75 } },
    {
      what: `idle agent, CPU of one core over ${WATCH_MS / 1_000} s`,
      unit: '%',
      value: cpuPercent,
      target: { value: 0.5 },
    },
  ];
}

/** Fields 14 and 15 of /proc/<pid>/stat: user and system time (source: proc(5)). */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}
