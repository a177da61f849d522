import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { sha256 } from '@signalbox/protocol/crypto';
import type { Clock, Random } from './ports.ts';

/** `setTimeout` fires at once beyond this; what is further away is looked at again then. */
const MAX_TIMER_MS = 2_147_483_647;

/** Timers of Node run on the monotonic clock (libuv), so a jump of the wall clock moves none of them. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  // CLOCK_MONOTONIC, which counts from the boot of the host (libuv, uv_hrtime).
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = { uuid: () => randomUUID(), fraction: () => Math.random() };

/** The machine under the host's name. A clone that kept the name has another one (systemd's machine-id(5)). */
export function machineId(): string {
  return firstLine('/etc/machine-id') ?? firstLine('/var/lib/dbus/machine-id') ?? sha256(hostname()).slice(0, 32);
}

/** New with each start of the kernel (random(4)): nothing that ran before is still running. */
export function bootId(): string {
  return firstLine('/proc/sys/kernel/random/boot_id') ?? 'unknown';
}

function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
