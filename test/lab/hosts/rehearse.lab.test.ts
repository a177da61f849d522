import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { endProcess } from '../janitor.ts';
import { REPOSITORY } from '../programs.ts';
import { foundAnew, MINERS, unitOf, upgradeTo } from './chain.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import { ENVIRONMENT } from './lab-host.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';
import { signalbox } from './signalbox.ts';

const HOSTS = ['node-1', ...MINERS];
const BINARY = '/srv/releases/remesd-v1.0.0';
const PARAMS = '/root/rehearsed.yaml';
/** node-upgrade under a name that nobody has ever run: what it took is what the run here took. */
const NAME = `node-upgrade-${Date.now()}`;
const RUNBOOK = '/root/node-upgrade-rehearsed.yaml';

const Rehearsed = z.object({
  ready: z.boolean(),
  steps: z.array(
    z.object({
      step: z.string(),
      host: z.string(),
      state: z.string(),
      note: z.string(),
      estimateMs: z.number().optional(),
    }),
  ),
  clocks: z.array(z.object({ name: z.string(), estimateMs: z.number().optional(), unknown: z.number() })),
});

const lab = () => sharedLab();
const coordinator = () => lab().host('coord-1');
const node = () => lab().host('node-1');
const snapshots = () =>
  takeSnapshots(
    HOSTS.map((name) => lab().host(name)),
    unitOf,
  );
const bringBack = () => node().exec(['mv', '/srv/away', BINARY]);

/** For the test, or until it is brought back. */
async function takeAway(): Promise<void> {
  await node().run(['mv', BINARY, '/srv/away']);
  onTestFinished(async () => void (await bringBack()));
}

async function rehearsed() {
  const { exitCode, stdout, stderr } = await signalbox(lab(), 'rehearse', RUNBOOK, '--params', PARAMS, '--json');
  if (stdout === '') throw new Error(stderr);
  return { exitCode, ...Rehearsed.parse(JSON.parse(stdout)) };
}

/** `rehearse --watch` as somebody has it open; `said` is what is on their screen so far. */
async function watched() {
  const words = ['rehearse', RUNBOOK, '--params', PARAMS, '--watch'];
  const [file, ...args] = coordinator().enter(['sh', '-c', 'echo $$; exec signalbox "$@"', '-', ...words]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env: ENVIRONMENT });
  onTestFinished(() => endProcess(child));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const said = (what: RegExp) => until(`${what} on the screen`, () => what.test(text), { timeoutMs: 60_000 });
  await said(/^\d+\n/);
  const interrupt = async () => {
    const ended = once(child, 'exit');
    await coordinator().run(['kill', '-INT', /^\d+/.exec(text)?.[0] ?? '']);
    return (await ended)[0] as number | null;
  };
  return { said, interrupt };
}

describe.runIf(LAB_IS_THERE)('signalbox rehearse, typed on the coordinator’s host', () => {
  beforeAll(async () => {
    await foundAnew(lab());
    const text = readFileSync(join(REPOSITORY, 'runbooks', 'r3mes', 'node-upgrade.yaml'), 'utf8');
    coordinator().put(RUNBOOK, text.replace('name: r3mes-node-upgrade', `name: ${NAME}`));
    coordinator().put(PARAMS, stringify(await upgradeTo(lab(), 'v1.0.0')));
  });
  afterAll(() => foundAnew(lab()));

  it('says what is missing, with its host, and changes nothing', async () => {
    await takeAway();
    const before = await snapshots();
    const { exitCode, ready, steps, clocks } = await rehearsed();
    expect(await changesSince(before, unitOf)).toEqual([]);
    expect([exitCode, ready]).toEqual([1, false]);
    const missing = steps.filter(({ state }) => state === 'missing');
    expect(missing.map(({ step, host }) => [step, host])).toEqual([['binary-installed', 'node-1']]);
    expect(missing[0]?.note).toContain(BINARY);
    // Every host that the run would be on was asked.
    expect(new Set(steps.map(({ host }) => host))).toEqual(new Set(HOSTS));
    expect(steps.every(({ estimateMs }) => estimateMs === undefined)).toBe(true);
    expect(clocks.map(({ name, estimateMs }) => [name, estimateMs])).toEqual([
      ['signing', undefined],
      ['mining', undefined],
    ]);
  });

  it('goes on asking with --watch, and shows when somebody has brought what was missing', async () => {
    await takeAway();
    const { said, interrupt } = await watched();
    await said(/MISSING +binary-installed +node-1/);
    await said(/1 of \d+ are missing something/);
    const before = await snapshots();
    await bringBack();
    await said(/^ready$/m);
    const byHand = ['node-1: srv/away is gone', `node-1: ${BINARY.slice(1)} is new`];
    expect((await changesSince(before, unitOf)).sort()).toEqual(byHand);
    expect(await interrupt()).toBe(0);
  });

  it('estimates steps and downtime by what they took in the run that was completed before', async () => {
    const run = await started(RUNBOOK, await upgradeTo(lab(), 'v1.0.0'));
    expect(await run.ended()).toBe('completed');
    await foundAnew(lab());
    const before = await snapshots();
    const { exitCode, ready, steps, clocks } = await rehearsed();
    expect(await changesSince(before, unitOf)).toEqual([]);
    expect([exitCode, ready]).toEqual([0, true]);
    // Of what is there for the way back alone, a run that was completed has nothing to tell.
    const untold = steps.filter(({ estimateMs }) => estimateMs === undefined).map(({ step }) => step);
    expect(untold).toEqual(['old-chain-moves']);
    const took = run.events.find((event) => event.type === 'StepSucceeded' && event.step === 'binary-installed');
    expect(steps.find(({ step }) => step === 'binary-installed')?.estimateMs).toBe(
      took && 'durationMs' in took ? took.durationMs : undefined,
    );
    // The node is not back before its gate has held for four seconds.
    for (const { estimateMs = 0, unknown, name } of clocks) {
      expect([estimateMs > 4_000, unknown], name).toEqual([true, 0]);
      expect(estimateMs).toBeLessThan(run.record.durationMs);
    }
  });
});
