import { readdir, readFile, stat } from 'node:fs/promises';
import type { HostContext } from '@signalbox/protocol';
import { ageSeconds, type ProcessStat, readProcessStat } from '@signalbox/protocol/readings';
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

/** `nginx -t` reads everything and starts nothing. @throws SB-ACT-NGINX-CONFIG with nginx's own reason */
export async function requireConfig(context: HostContext, { program, config }: Nginx): Promise<void> {
  const { exitCode, stderr } = await answer(context, [program, '-t', '-q', '-c', config], { quiet: true });
  if (exitCode === 0) return;
  const said = stderr.split('\n').find((line) => line.includes('[emerg]')) ?? stderr.trim();
  throw actionError('SB-ACT-NGINX-CONFIG', `nginx does not take its configuration: ${said.slice(0, 300)}`);
}

/**
 * Has a running nginx read its configuration, and proves it: `-s reload` returns when the signal is sent, so what counts is that
 * workers are there that were not there before, and that the old ones leave. For a moment both take what comes (nginx gives
 * new ones 100 ms to begin); from then on the old ones only finish what they have begun.
 * @throws SB-ACT-NGINX-RELOAD
 */
export async function reload(context: HostContext, nginx: Nginx): Promise<void> {
  const { mainPid } = await lookAtUnit(context, nginx.unit);
  if (mainPid === 0) throw actionError('SB-ACT-NGINX-RELOAD', `${nginx.unit} does not run`);
  const before = new Set((await workersOf(mainPid)).map(({ name }) => name));
  await succeed(context, [nginx.program, '-s', 'reload', '-c', nginx.config], { quiet: true });
  const deadlineMs = context.nowMs() + RELOADED_WITHIN_MS;
  while (!(await haveTakenOver(mainPid, before))) {
    if (context.nowMs() > deadlineMs) {
      throw actionError('SB-ACT-NGINX-RELOAD', `${nginx.unit} has no new workers, or old ones go on`);
    }
    await context.sleep(LOOK_EVERY_MS);
  }
}

async function haveTakenOver(master: number, before: ReadonlySet<string>): Promise<boolean> {
  const workers = await workersOf(master);
  const old = workers.filter(({ name }) => before.has(name));
  return workers.length > old.length && old.every(({ leaves }) => leaves);
}

/** Whether a worker is there that was started after a file of the configuration came to its place. */
export async function hasRead(context: HostContext, { unit }: Nginx, file: string): Promise<boolean> {
  const { mainPid } = await lookAtUnit(context, unit);
  const placedSeconds = (Date.now() - (await stat(file)).ctimeMs) / 1_000;
  const uptime = await readFile('/proc/uptime', 'utf8');
  return (await workersOf(mainPid)).some((worker) => ageSeconds(worker, uptime) < placedSeconds);
}

interface Worker extends ProcessStat {
  /** Pid and start. */
  name: string;
  /** It takes nothing new. */
  leaves: boolean;
}

/** What nginx calls a worker that was told to end. */
const LEAVING = 'worker process is shutting down';

/** Processes whose parent is the master. */
async function workersOf(master: number): Promise<Worker[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const found = readProcessStat(await readIfThere(`/proc/${pid}/stat`));
      if (found.parent !== master || found.state === 'Z') return [];
      const leaves = (await readIfThere(`/proc/${pid}/cmdline`)).includes(LEAVING);
      return [{ ...found, name: `${pid}:${found.startTicks}`, leaves }];
    }),
  );
  return found.flat();
}

const readIfThere = (path: string) => readFile(path, 'utf8').catch(() => '');
