import { execFile } from 'node:child_process';
import { statOf } from '../processes.ts';
import { isInUnit } from '../unit.ts';
import type { UnitRequest } from './wire.ts';

export const BUSCTL = '/usr/bin/busctl';

/** A service manager that is busy for longer gives no unit. */
const ANSWER_MS = 10_000;
const LOOK_MS = 2;
/** Between asking what is left to end and ending it, when the host goes down. */
const STOP_MICROSECONDS = 10_000_000;

const CALL = [
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
  'StartTransientUnit',
  'ssa(sv)a(sa(sv))',
] as const;

/**
 * Has the service manager put a process into a unit of its own: a scope, which changes nothing of the process but its
 * control group (systemd.scope(5)).
 * @returns undefined when it is in there, else why not.
 */
export async function joinUnit(pid: number, unit: UnitRequest, timeoutMs = ANSWER_MS): Promise<string | undefined> {
  const endMs = performance.now() + timeoutMs;
  const refused = await ask(pid, unit, timeoutMs);
  if (refused !== undefined) return refused;
  // The answer says that it will be done. Only who stays connected to the bus would be told when it is.
  while (performance.now() < endMs) {
    if (isInUnit(pid, unit.name)) return undefined;
    if (statOf(pid) === undefined) return `it ended before it was in ${unit.name}`;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return `systemd accepted ${unit.name} and did not begin it`;
}

function ask(
  pid: number,
  { name, description, slice, before, bus }: UnitRequest,
  timeoutMs: number,
): Promise<string | undefined> {
  const properties = [
    ['PIDs', 'au', '1', String(pid)],
    ['Description', 's', description],
    ['Slice', 's', slice],
    // Nothing is left of it when its last process has gone, however that ended.
    ['CollectMode', 's', 'inactive-or-failed'],
    ['TimeoutStopUSec', 't', String(STOP_MICROSECONDS)],
    ...(before === undefined ? [] : [['Before', 'as', '1', before]]),
  ];
  // A name that is taken is refused: two processes never share a unit.
  const call = [...CALL, name, 'fail', String(properties.length), ...properties.flat(), '0'];
  return new Promise((resolve) => {
    // Killed when it is not answered: systemd does nothing for who has left the bus.
    const options = { env: {}, timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
    execFile(BUSCTL, [`--address=${bus}`, '--quiet', 'call', ...call], options, (error, _, stderr) => {
      const reason = error?.killed ? `no answer within ${timeoutMs / 1_000} s` : stderr.trim() || error?.message;
      resolve(error === null ? undefined : `${name}: ${reason}`);
    });
  });
}
