import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { alive } from '../../lab/booted.ts';

/** Pids of all living processes that have to do with a folder: by arguments, environment or working directory. */
export function processesOf(folder: string): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => pid !== process.pid && alive(pid) && traces(pid).some((text) => text.includes(folder)));
}

function traces(pid: number): string[] {
  try {
    const [cmdline, environ] = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    return [cmdline ?? '', environ ?? '', readlinkSync(`/proc/${pid}/cwd`)];
  } catch {
    // It has ended, or is somebody else's.
    return [];
  }
}
