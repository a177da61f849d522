import { HostRecord, type HostState, hostState } from '@signalbox/protocol';
import { z } from 'zod';
import type { Lab } from './lab.ts';
import type { Answer } from './machine-program.ts';
import { COORDINATOR_HOST } from './plan.ts';

/** How `signalbox` ends when no coordinator answers. */
const UNREACHABLE = 4;

const Hosts = z.object({ nowMs: z.number(), hosts: z.array(HostRecord) });

/** Types a command as an operator does who is logged in on the coordinator's host. */
export function signalbox(lab: Lab, ...args: string[]): Promise<Answer> {
  return lab.host(COORDINATOR_HOST).exec(['signalbox', ...args]);
}

/** How the coordinator sees each host: nobody yet, while none answers. */
export async function hostStates(lab: Lab): Promise<Record<string, HostState>> {
  const { exitCode, stdout, stderr } = await signalbox(lab, 'hosts', '--json');
  if (exitCode === UNREACHABLE) return {};
  if (exitCode !== 0) throw new Error(`signalbox hosts (exit ${exitCode}):\n${stdout}${stderr}`);
  const { nowMs, hosts } = Hosts.parse(JSON.parse(stdout));
  return Object.fromEntries(
    hosts.map(({ name, seenAtMs }) => [name, seenAtMs === undefined ? 'never' : hostState(nowMs - seenAtMs)]),
  );
}
