/** What `/proc/PID/stat` says of a process (proc(5)). */
export interface ProcessStat {
  /** Field 3; `Z` has ended and only waits to be reaped. */
  state: string;
  /** Field 4. */
  parent: number;
  /** Field 22, since the boot. With the pid it names this very process: a pid may come again. */
  startTicks: number;
}

/** `sysconf(_SC_CLK_TCK)` on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export function readProcessStat(text: string): ProcessStat {
  // The name stands in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTicks: Number(fields[19]) };
}

/** How long ago a process began, in seconds. `uptime`: what `/proc/uptime` says. */
export function ageSeconds({ startTicks }: Pick<ProcessStat, 'startTicks'>, uptime: string): number {
  return Number(uptime.split(' ')[0]) - startTicks / TICKS_PER_SECOND;
}
