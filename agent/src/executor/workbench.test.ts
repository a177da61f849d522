import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputChunk } from '@signalbox/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EVERYTHING } from '../policy/policy.ts';
import type { ExecutionRequest } from '../ports.ts';
import { systemClock } from '../system.ts';
import { type TestKeeper, testKeeper } from '../testing/test-keeper.ts';
import { DEFAULT_PATH } from './environment.ts';
import { createSecretValues } from './redact.ts';
import { createSecretReader } from './secrets.ts';
import { createWorkbench } from './workbench.ts';

let steps: string;
let folder: string;
let chunks: OutputChunk[];
let keeper: TestKeeper;
beforeEach(() => {
  steps = mkdtempSync(join(tmpdir(), 'signalbox-steps-'));
  folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  keeper = testKeeper(folder);
  chunks = [];
});
afterEach(async () => {
  await keeper.end();
  for (const path of [steps, folder]) rmSync(path, { recursive: true });
});

function open(change: Partial<ExecutionRequest> = {}) {
  const secretValues = createSecretValues();
  const workbench = createWorkbench({
    policy: EVERYTHING,
    ...{ host: 'h1', labels: { role: 'node' }, clock: systemClock, steps, path: DEFAULT_PATH, secretValues },
    outputCapBytes: 1_000_000,
    starter: keeper.starter,
    secrets: createSecretReader({ TOKEN: 'hunter2' }, secretValues),
    publish: (chunk) => chunks.push(chunk),
  });
  const command = { id: 'r:s:h1:do:1', run: 'r', step: 's', direction: 'do' as const };
  const request = { executionId: 'r.abc', signal: new AbortController().signal, command, ...change };
  return { workbench, execution: workbench.open(request) };
}

const published = () => chunks.map(({ text }) => text).join('');

describe('an execution', () => {
  it('[I9] publishes what its processes print, in order, without the values of secrets', async () => {
    const { execution } = open();
    const { context } = execution;
    const token = await context.secret({ $secret: 'env:TOKEN' });
    context.print(`logging in with ${token}`);
    const { stdout } = await context.exec(['sh', '-c', 'printf "a hun"; sleep 0.3; printf "ter2 b\\n"; echo $T'], {
      env: { T: token },
    });
    expect(stdout).toBe('a hunter2 b\nhunter2\n');
    const { outputBytes } = await execution.close();
    expect(published()).toBe('logging in with [secret]\na [secret] b\n[secret]\n');
    expect(outputBytes).toBe(published().length);
    expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, i) => i));
    expect(chunks[0]).toMatchObject({ run: 'r', step: 's', host: 'h1', commandId: 'r:s:h1:do:1' });
    expect(execution.redact({ failure: `cannot use ${token}` })).toEqual({ failure: 'cannot use [secret]' });
  });

  it('keeps quiet processes out of the output and off the disk', async () => {
    const { execution } = open();
    const { stdout } = await execution.context.exec(['echo', 'state'], { quiet: true });
    await execution.close();
    expect([stdout, chunks, readdirSync(steps)]).toEqual(['state\n', [], []]);
  });

  it('without a command (a check, a sample) publishes and leaves nothing', async () => {
    const { execution } = open({ command: undefined });
    execution.context.print('nobody reads this');
    const { stdout } = await execution.context.exec(['sh', '-c', 'echo "[$SIGNALBOX_COMMAND_ID]"']);
    expect([stdout, await execution.close(), chunks, readdirSync(steps)]).toEqual(['[]\n', { outputBytes: 0 }, [], []]);
  });

  it('tells of a process before it starts and when it has', async () => {
    const told: [number, boolean][] = [];
    const { execution } = open({ onProcess: (child, { group }) => told.push([child, group !== undefined]) });
    await execution.context.exec(['true']);
    await execution.context.exec(['true'], { quiet: true });
    expect(told).toEqual([
      [0, false],
      [0, true],
      [1, false],
      [1, true],
    ]);
  });

  it('starts nothing after it was stopped, and sleeps no longer', async () => {
    const controller = new AbortController();
    const { execution } = open({ signal: controller.signal });
    const sleeping = execution.context.sleep(60_000);
    controller.abort(new Error('stopped'));
    await expect(sleeping).rejects.toThrow('stopped');
    await expect(execution.context.exec(['true'])).rejects.toThrow('stopped');
  });

  it('has files that go with its run', async () => {
    const { execution, workbench } = open();
    await execution.context.exec(['echo', 'kept']);
    workbench.discard('other');
    expect(readdirSync(steps)).toEqual(['r.abc.0.err', 'r.abc.0.exit', 'r.abc.0.out', 'r.abc.sent']);
    workbench.discard('r');
    expect(readdirSync(steps)).toEqual([]);
  });
});
