import { join } from 'node:path';
import type { RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { VALIDATOR } from '../furnish-node.ts';
import { countDoubleSigns } from '../signatures.ts';
import { readNetwork } from '../standins/remesd/network.ts';
import { foundAnew, NODES, signatures, unitOf } from './chain.ts';
import type { Lab } from './lab.ts';
import type { LabHost } from './lab-host.ts';
import { LabRun } from './lab-run.ts';
import { hostStates, signalbox } from './signalbox.ts';

/** What happens to a host. */
export const BLOWS = ['power-cut', 'reboot'] as const;
export type Blow = (typeof BLOWS)[number];

/** One place of a matrix: a blow to a host while a step is under way on it. */
export interface Cell {
  runbook: string;
  params: (lab: Lab) => Promise<Readonly<Record<string, string>>>;
  step: string;
  host: string;
  blow: Blow;
}

export interface Verdict {
  /** How the run ended, or why it waits for a person. */
  outcome: string;
  doubleSigns: number;
  /** Nodes that run with the validator's key at the end. */
  signing: string[];
  seconds: number;
}

/** Plays one cell on a chain that is founded for it. The lab is left as the cell leaves it. */
export async function play(lab: Lab, { runbook, params, step, host: name, blow }: Cell): Promise<Verdict> {
  await foundAnew(lab);
  for (const node of [...NODES, name]) await online(lab, node);
  const startedMs = performance.now();
  const run = await LabRun.start(lab, runbook, await params(lab));
  try {
    return await strike(lab, { run, step, name, blow, startedMs });
  } finally {
    await leave(lab, run);
    await run[Symbol.asyncDispose]();
  }
}

/** A run that waits for a person keeps what it has claimed, and the next cell would be refused. */
async function leave(lab: Lab, run: LabRun): Promise<void> {
  if (run.record.outcome !== undefined) return;
  const said = await signalbox(lab, 'abort', run.id, '--leave', '--note', 'the cell is over');
  if (said.exitCode !== 0) throw new Error(`${run.id} could not be left: ${said.stderr}`);
  await until(`${run.id} to be left`, () => run.record.outcome);
}

interface Struck extends Pick<Cell, 'step' | 'blow'> {
  run: LabRun;
  name: string;
  startedMs: number;
}

async function strike(lab: Lab, { run, step, name, blow, startedMs }: Struck): Promise<Verdict> {
  await run.event(`${step} on ${name}`, (event) => isUnderWay(event, step, name));
  const host = lab.host(name);
  if (blow === 'reboot') await host.reboot();
  else {
    await host.powerOff();
    await host.powerOn();
  }
  const outcome = await run.ended().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  await tenBlocks(lab);
  return {
    outcome,
    doubleSigns: countDoubleSigns(signatures(lab)),
    signing: await signingNodes(lab),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
}

/** A step's id without the groups around it, and without batch or item. */
export const idOf = (path: string): string => path.split('/').at(-1)?.split('[')[0] ?? '';

/** As soon as the host may have something to do with it; a step without a host is any host's. */
function isUnderWay(event: RunEvent, step: string, host: string): boolean {
  if (event.type !== 'StepStarted' && event.type !== 'StepAccepted') return false;
  return idOf(event.step) === step && (event.host === host || event.host === null);
}

const online = (lab: Lab, name: string) =>
  until(`${name} to be online`, async () => (await hostStates(lab))[name] === 'online');

/** Ten blocks later: whoever signs would have been seen. */
async function tenBlocks(lab: Lab): Promise<void> {
  const { blockMs } = readNetwork(join(lab.observer('chain'), 'network.json'));
  const endMs = Date.now() + 10 * blockMs;
  await until('ten blocks', () => Date.now() > endMs);
}

async function signingNodes(lab: Lab): Promise<string[]> {
  const found: string[] = [];
  for (const name of NODES) {
    const host = lab.host(name);
    const { ActiveState } = await host.unit(unitOf(host), ['ActiveState']);
    if (ActiveState === 'active' && readKey(host) === VALIDATOR) found.push(name);
  }
  return found;
}

function readKey(host: LabHost): string | undefined {
  const key = '/home/remes/.remesd/config/priv_validator_key.json';
  return host.has(key) ? (JSON.parse(host.get(key)) as { address: string }).address : undefined;
}
