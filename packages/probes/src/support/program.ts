import { open, readFile, stat } from 'node:fs/promises';
import { ageSeconds, readProcessStat, type UnitReading } from '@signalbox/protocol/readings';

/**
 * Whether the main process of a unit runs the program that lies where the unit starts it, and not one that was replaced or
 * removed since. The kernel knows which file a process runs; of a script it knows the interpreter only, so there the process must
 * have been started after the script was put in its place.
 * @returns undefined when nobody can tell: there is no such process, or it is not ours to look at.
 */
export async function runsInstalled({ exec, mainPid }: UnitReading): Promise<boolean | undefined> {
  if (exec === undefined || mainPid === 0) return undefined;
  const running = await stat(`/proc/${mainPid}/exe`, { bigint: true }).catch(() => undefined);
  if (running === undefined) return undefined;
  const installed = await stat(exec.path, { bigint: true }).catch(() => undefined);
  if (installed === undefined) return false;
  if (installed.dev === running.dev && installed.ino === running.ino) return true;
  return (await isScript(exec.path)) && (await startedAtMs(mainPid)) > Number(installed.ctimeMs);
}

async function isScript(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1') === '#!';
  } finally {
    await file.close();
  }
}

/** By the wall clock, to some hundredths of a second. */
export async function startedAtMs(pid: number): Promise<number> {
  const [text, uptime] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/uptime', 'utf8')]);
  return Date.now() - ageSeconds(readProcessStat(text), uptime) * 1_000;
}
