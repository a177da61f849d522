import { existsSync } from 'node:fs';
import { PERL } from './keeper/gate.ts';
import { BUSCTL } from './keeper/join-unit.ts';
import type { UnitRequest } from './keeper/wire.ts';
import { unitsAround } from './unit.ts';

/** What the units of all processes have in common. */
export type Units = Omit<UnitRequest, 'name' | 'description'>;

export interface UnitsQuestion {
  uid: number;
  /** Units that the agent is in, the outermost first. */
  around: readonly string[];
  exists: (path: string) => boolean;
}

/**
 * Which service manager gives the processes of steps units of their own: systemd (sd_booted(3)) for root, for another user
 * their own instance of it, when the agent belongs to that one.
 * @returns a text that says why there is none.
 */
export function findUnits({ uid, around, exists }: UnitsQuestion): Units | string {
  if (!exists('/run/systemd/system')) return 'systemd does not run here';
  const own = uid === 0 || around.includes(`user@${uid}.service`);
  if (!own) return `the agent is neither root nor a service of the user ${uid}`;
  const socket = uid === 0 ? '/run/dbus/system_bus_socket' : `/run/user/${uid}/bus`;
  const missing = [socket, BUSCTL, PERL].find((path) => !exists(path));
  if (missing !== undefined) return `there is no ${missing}`;
  const innermost = around.at(-1);
  return {
    bus: `unix:path=${socket}`,
    // Bounds that an administrator sets on it hold for all steps together.
    slice: uid === 0 ? 'system-signalbox.slice' : 'app-signalbox.slice',
    // A host that goes down lets the agent wait for its steps first.
    before: innermost?.endsWith('.service') ? innermost : undefined,
  };
}

/** For this process, on this host. */
export const unitsHere = (): Units | string =>
  findUnits({ uid: process.getuid?.() ?? -1, around: unitsAround('self'), exists: existsSync });
