import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { connect, ErrorCode } from 'nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { sayTo } from '../lab/child.ts';
import { endProcess } from '../lab/janitor.ts';
import { PROGRAMS } from '../lab/programs.ts';
import { processesOf } from './support/processes.ts';

/** What `npm run demo -- --json` promises as its last line. */
const Step = z.strictObject({ id: z.string(), host: z.string().nullable(), outcome: z.string() });
const Run = z.strictObject({
  runId: z.string(),
  runbook: z.literal('r3mes-node-upgrade'),
  outcome: z.enum(['completed', 'rolled-back']),
  durationMs: z.number().positive(),
  steps: z.array(Step).min(10),
});
const Summary = z.strictObject({
  runs: z.array(Run).length(2),
  proof: z.strictObject({
    executions: z.int().min(20),
    doubles: z.literal(0),
    coordinatorKills: z.literal(1),
    resumeMs: z.number().positive(),
    doubleSigns: z.literal(0),
    naiveDoubleSigns: z.int().min(1),
    filesChanged: z.literal(0),
  }),
});

/** The demo in a temporary folder of its own, by which all its processes can be told. */
function startDemo() {
  const dir = mkdtempSync(join(tmpdir(), 'sb-d-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const child = spawn(process.execPath, [PROGRAMS.demo, '--json'], {
    env: { ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => endProcess(child, 10_000));
  return { dir, child, lines: createInterface({ input: child.stderr }), exited: once(child, 'exit') };
}

/** What the opening lines say: TLS, keys of their own, a policy on each host, messengers. */
async function isOn(dir: string): Promise<void> {
  const [name = ''] = readdirSync(dir);
  const settings = join(dir, name, 'mesh', 'demo', 'operator', 'signalbox.yaml');
  const { servers } = z.object({ servers: z.array(z.string()) }).parse(parse(readFileSync(settings, 'utf8')));
  const plain = connect({ servers: servers.map((url) => new URL(url).host), reconnect: false, tls: null });
  await expect(plain).rejects.toMatchObject({ code: ErrorCode.Tls });

  const signalbox = (...args: string[]) => sayTo([PROGRAMS.signalbox, '--config', settings, ...args]);
  const { hosts } = Hosts.parse(JSON.parse((await signalbox('hosts', '--json')).stdout));
  expect(hosts.map(({ health }) => health.privileges)).toEqual(['runner', 'runner', 'runner', 'runner']);
  const said = await signalbox('exec', '--hosts', 'miner-1', '--effect', 'read', '--', 'uname');
  expect([said.exitCode, said.stdout + said.stderr]).toEqual([1, expect.stringMatching(/SB235|SB-POLICY-ACTION/)]);
}

const Hosts = z.object({
  hosts: z.array(z.object({ health: z.object({ policy: z.string(), authority: z.string(), privileges: z.string() }) })),
});

// A minute on a machine that does nothing else.
describe('npm run demo', { timeout: 300_000 }, () => {
  it('completes, rolls back, survives sabotage, proves it in the promised JSON, and leaves nothing behind', async () => {
    const { dir, child, lines, exited } = startDemo();
    let most = 0;
    let said = '';
    lines.on('line', (line) => {
      said += `${line}\n`;
      most = Math.max(most, processesOf(dir).length);
    });
    const [stdout, [code]] = await Promise.all([text(child.stdout), exited]);
    expect(code, said).toBe(0);

    const summary = Summary.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
    expect(summary.runs.map(({ outcome }) => outcome)).toEqual(['completed', 'rolled-back']);
    const [good, bad] = summary.runs;
    expect(good?.steps.every(({ outcome }) => outcome === 'succeeded')).toBe(true);
    expect(bad?.steps.find(({ id }) => id === 'chain-moves')?.outcome).toBe('failed');

    // Four agents, a coordinator, NATS and the hosts' own: else looking for what is left would find nothing anyway.
    expect(most).toBeGreaterThan(10);
    expect(processesOf(dir)).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('leaves nothing behind after Ctrl-C in the middle', async () => {
    const { dir, child, lines, exited } = startDemo();
    child.stdout.resume();
    await new Promise<void>((resolve, reject) => {
      let said = '';
      lines.on('line', (line) => {
        said += `${line}\n`;
        if (line.includes('node-stopped')) resolve();
      });
      child.once('close', () => reject(new Error(said)));
    });
    expect(processesOf(dir).length).toBeGreaterThan(10);
    await isOn(dir);
    child.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(processesOf(dir)).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });
});
