import { readdir, readFile, stat } from 'node:fs/promises';
import type { HostContext } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import { answer, succeed } from '../support/exec.ts';
import { lookAtUnit } from '../support/unit.ts';

export interface Nginx {
  program: string;
  config: string;
  unit: string;
}

/** A reload is a matter of milliseconds; a host under load takes longer. */
const RELOADED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
/** Of /proc/PID/stat, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** `nginx -t` reads everything and starts nothing. @throws SB-ACT-NGINX-CONFIG with nginx's own reason */
export async function requireConfig(context: HostContext, { program, config }: Nginx): Promise<void> {
  const { exitCode, stderr } = await answer(context, [program, '-t', '-q', '-c', config], { quiet: true });
  if (exitCode === 0) return;
  const said = stderr.split('\n').find((line) => line.includes('[emerg]')) ?? stderr.trim();
  throw actionError('SB-ACT-NGINX-CONFIG', `nginx does not take its configuration: ${said.slice(0, 300)}`);
}

/**
 * Has a running nginx read its configuration, and proves it: `-s reload` returns when the signal is sent, so what counts is that
 * workers are there that were not there before. Old ones finish what they have begun and take nothing new.
 * @throws SB-ACT-NGINX-RELOAD
 */
export async function reload(context: HostContext, nginx: Nginx): Promise<void> {
  const { mainPid } = await lookAtUnit(context, nginx.unit);
  if (mainPid === 0) throw actionError('SB-ACT-NGINX-RELOAD', `${nginx.unit} does not run`);
  const before = new Set(await workersOf(mainPid));
  await succeed(context, [nginx.program, '-s', 'reload', '-c', nginx.config], { quiet: true });
  const deadlineMs = context.nowMs() + RELOADED_WITHIN_MS;
  while (!(await workersOf(mainPid)).some((pid) => !before.has(pid))) {
    if (context.nowMs() > deadlineMs) throw actionError('SB-ACT-NGINX-RELOAD', `${nginx.unit} has no new workers`);
    await context.sleep(LOOK_EVERY_MS);
  }
}

/** Whether a worker is there that was started after a file of the configuration came to its place. */
export async function hasRead(context: HostContext, { unit }: Nginx, file: string): Promise<boolean> {
  const { mainPid } = await lookAtUnit(context, unit);
  const ageSeconds = (Date.now() - (await stat(file)).ctimeMs) / 1000;
  const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
  const starts = (await workersOf(mainPid)).map((worker) => Number(worker.split(':')[1]) / TICKS_PER_SECOND);
  return starts.some((start) => uptime - start < ageSeconds);
}

/** Processes whose parent is the master, each with its start: a pid may come again. */
async function workersOf(master: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      // proc(5): after the name in parentheses come state, parent, ..., and as the 20th of them the start time.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[1]) === master && fields[0] !== 'Z' ? [`${pid}:${fields[19]}`] : [];
    }),
  );
  return found.flat();
}
