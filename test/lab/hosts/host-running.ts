import { createHash } from 'node:crypto';
import { until } from '@signalbox/protocol/testing';
import { NODE_UNIT } from '../furnish-node.ts';
import type { LabHost } from './lab-host.ts';
import { LAB_NODE } from './plan.ts';

const SIGNER_STATE = '/home/remes/.remesd/data/priv_validator_state.json';
const ASK_HEIGHT = `fetch('http://127.0.0.1:26657/status').then((r) => r.json()).then((s) => console.log(s.result.sync_info.latest_block_height))`;
/** What systemd tells each process of itself and its own start. */
const OF_THE_START = /^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MAINPID|MANAGERPID|NOTIFY_SOCKET|WATCHDOG_PID)$/;

/** The environment that a unit's process runs with, each value as its hash; empty when it does not run. */
export async function environmentOf(host: LabHost, unit: string): Promise<Record<string, string>> {
  const { MainPID = '0' } = await host.unit(unit, ['MainPID']);
  if (MainPID === '0') return {};
  const { stdout } = await host.exec(['cat', `/proc/${MainPID}/environ`]);
  const found = stdout.split('\0').flatMap((entry): [string, string][] => {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(entry) ?? [];
    if (name === '' || OF_THE_START.test(name)) return [];
    return [[`${unit} environment ${name}`, createHash('sha256').update(value).digest('hex')]];
  });
  return Object.fromEntries(found);
}

/** How far the chain has come for the node on a host, and what its signer has signed; nothing of a host without one. */
export async function heightsOf(host: LabHost): Promise<Record<string, number>> {
  const signer = host.has(SIGNER_STATE) ? (JSON.parse(host.get(SIGNER_STATE)) as { height: string }) : undefined;
  const heights = signer === undefined ? {} : { signer: Number(signer.height) };
  const runs = async () => (await host.unit(NODE_UNIT, ['ActiveState'])).ActiveState === 'active';
  if (signer === undefined || !(await runs())) return heights;
  // A node that has just been started answers a moment later.
  const chain = await until(`the node on ${host.name} to answer`, async () => {
    const { stdout } = await host.exec([LAB_NODE, '--eval', ASK_HEIGHT]);
    return Number(stdout) || ((await runs()) ? undefined : 'ended');
  });
  return chain === 'ended' ? heights : { ...heights, chain };
}

/** A height may rise, and a node that ran is to run. */
export function lowered(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.entries(before).flatMap(([what, was]) => {
    const is = after[what];
    return is !== undefined && is >= was ? [] : [`height of the ${what}: ${was} -> ${is ?? 'unknown'}`];
  });
}
