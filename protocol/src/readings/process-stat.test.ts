import { readFileSync } from 'node:fs';
import { pid, ppid, uptime } from 'node:process';
import { expect, it } from 'vitest';
import { ageSeconds, readProcessStat } from './process-stat.ts';

it('reads a process whose name looks like fields', () => {
  const rest = Array.from({ length: 17 }, (_, i) => i).join(' ');
  expect(readProcessStat(`7 (a) S 1 b) R 42 ${rest} 90210 0`)).toEqual({ state: 'R', parent: 42, startTicks: 90210 });
});

it('knows how old this very process is', () => {
  const stat = readProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  expect(stat.parent).toBe(ppid);
  // Counted in hundredths of a second, and by Node from a moment after the start.
  expect(Math.abs(ageSeconds(stat, readFileSync('/proc/uptime', 'utf8')) - uptime())).toBeLessThan(1);
});
