import { join } from 'node:path';
import type { RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { VALIDATOR } from '../furnish-node.ts';
import { countDoubleSigns } from '../signatures.ts';
import { readNetwork } from '../standins/remesd/network.ts';
import { executions, NODES, packaged, signatures, unitOf } from './chain.ts';
import { putFailing } from './failing.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import type { Lab } from './lab.ts';
import type { LabHost } from './lab-host.ts';
import { LabRun } from './lab-run.ts';
import { willing } from './people.ts';
import { runbookOf, type Scene } from './scene.ts';
import { hostStates, signalbox } from './signalbox.ts';

/**
 * What happens: everything up to and with the step is done and the next thing fails, or something happens to the host while
 * the step is under way on it.
 */
export const BLOWS = ['failure', 'reboot', 'power-cut'] as const;
export type Blow = (typeof BLOWS)[number];

/** A step, as `pathOf` names it, and one of its hosts. */
export interface Place {
  step: string;
  host: string;
}

/** One place of a matrix, and the blow there. */
export interface Cell extends Place {
  scene: Scene;
  blow: Blow;
}

export interface Verdict {
  /** How the run ended, or why it waits for a person. */
  outcome: string;
  /** In what the hosts differ from what they were before the run. */
  changes: string[];
  /** Changes that one command made twice. */
  doubles: number;
  doubleSigns: number;
  /** Nodes that run with the validator's key at the end. */
  signing: string[];
  seconds: number;
}

/** Plays one cell on hosts as they are. The lab is left as the cell leaves it. */
export async function play(lab: Lab, cell: Cell): Promise<Verdict> {
  const { scene, step, host, blow } = cell;
  await allOnline(lab, scene.hosts);
  const startedMs = performance.now();
  const hosts = scene.hosts.map((name) => lab.host(name));
  const before = await takeSnapshots(hosts, unitOf);
  const { doubles } = executions(lab, scene.hosts);
  const runbook =
    blow === 'failure' ? putFailing(lab, { name: runbookOf(scene), step, host }) : packaged(runbookOf(scene));
  const run = await LabRun.start(lab, runbook, await scene.params(lab), willing(lab, scene.hands));
  try {
    if (blow !== 'failure') await strike(lab, run, cell);
    const outcome = await run
      .ended()
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    await tenBlocks(lab);
    return {
      outcome,
      changes: await changesSince(before, unitOf),
      doubles: executions(lab, scene.hosts).doubles - doubles,
      doubleSigns: countDoubleSigns(signatures(lab)),
      signing: await signingNodes(lab),
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    };
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

async function strike(lab: Lab, run: LabRun, { step, host: name, blow }: Cell): Promise<void> {
  await run.event(`${step} on ${name}`, (event) => isUnderWay(event, step, name));
  const host = lab.host(name);
  if (blow === 'reboot') return await host.reboot();
  await host.powerOff();
  await host.powerOn();
}

/** A step without its batch and item: the ids of the includes around it, and its own. */
export const pathOf = (step: string): string => step.replaceAll(/\[[^\]]*\]/g, '');

/** As soon as the host may have something to do with it; a step without a host is any host's. */
function isUnderWay(event: RunEvent, step: string, host: string): boolean {
  if (event.type !== 'StepStarted' && event.type !== 'StepAccepted') return false;
  return pathOf(event.step) === step && (event.host === host || event.host === null);
}

const allOnline = (lab: Lab, names: readonly string[]) =>
  until(`${names.join(', ')} to be online`, async () => {
    const states = await hostStates(lab);
    return names.every((name) => states[name] === 'online');
  });

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
