import { HostRecord, type HostState, hostState } from '@signalbox/protocol';
import { z } from 'zod';
import type { Lab } from './lab.ts';
import type { Answer } from './machine-program.ts';
import { COORDINATOR_HOST } from './plan.ts';

const Hosts = z.object({ nowMs: z.number(), hosts: z.array(HostRecord) });

/** Types a command as an operator does who is logged in on the coordinator's host. */
export function signalbox(lab: Lab, ...args: string[]): Promise<Answer> {
  return lab.host(COORDINATOR_HOST).exec(['signalbox', ...args]);
}

/** How the coordinator sees each host. */
export async function hostStates(lab: Lab): Promise<Record<string, HostState>> {
  const { stdout } = await signalbox(lab, 'hosts', '--json');
  const { nowMs, hosts } = Hosts.parse(JSON.parse(stdout));
  return Object.fromEntries(
    hosts.map(({ name, seenAtMs }) => [name, seenAtMs === undefined ? 'never' : hostState(nowMs - seenAtMs)]),
  );
}
