import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecOptions } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessGroup } from '../ports.ts';
import { systemClock } from '../system.ts';
import { type TestKeeper, testKeeper } from '../testing/test-keeper.ts';
import { directStarter } from './direct.ts';
import { childEnvironment, DEFAULT_PATH } from './environment.ts';
import { isAlive, livingGroups, signalGroup } from './processes.ts';
import { type RunProcessOptions, runProcess } from './run-process.ts';
import type { Starter } from './starter.ts';

let folder: string;
let started: ProcessGroup[];
let keeper: TestKeeper;
let starter: Starter;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-exec-'));
  started = [];
  keeper = testKeeper(folder);
  starter = keeper.starter;
});
afterEach(async () => {
  for (const { pid } of started) signalGroup(pid, 'SIGKILL');
  await keeper.end();
  rmSync(folder, { recursive: true, force: true });
});

function exec(argv: [string, ...string[]], exec: ExecOptions = {}, more: Partial<RunProcessOptions> = {}) {
  const files = join(folder, '0');
  return runProcess(argv, {
    clock: systemClock,
    starter,
    exec,
    env: childEnvironment({ path: DEFAULT_PATH, mark: files, command: { id: 'cmd', run: 'r' }, extra: exec.env }),
    signal: new AbortController().signal,
    files,
    capBytes: 1_000_000,
    onStarted: (group) => started.push(group),
    ...more,
  });
}

const sh = (script: string): [string, ...string[]] => ['sh', '-c', script];
const command = { id: 'cmd', executionId: 'run.1' };
const another = { id: 'another', executionId: 'run.2' };
const alive = () => livingGroups(command, started, { uncertain: false });

describe.each(['keeper', 'direct'] as const)('a process, started by %s', (way) => {
  beforeEach(() => {
    starter = way === 'keeper' ? keeper.starter : directStarter;
  });

  it('gives exit code, both streams apart, and takes input', async () => {
    const result = await exec(sh('cat; echo err >&2; exit 3'), { stdin: 'in\n' });
    expect(result).toMatchObject({ exitCode: 3, signal: undefined, stdout: 'in\n', stderr: 'err\n', timedOut: false });
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it('that cannot be started is a result that says why', async () => {
    const result = await exec(['no-such-program']);
    expect([result.exitCode, result.signal]).toEqual([undefined, undefined]);
    expect(result.stderr).toContain('ENOENT');
  });

  it('gets an environment that is built, not inherited', async () => {
    process.env.LD_PRELOAD_CANARY = 'x';
    try {
      const { stdout } = await exec(['env'], { env: { EXTRA: '1' } });
      const names = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(names.sort()).toEqual([
        ...['EXTRA', 'HOME', 'LANG', 'PATH', 'SIGNALBOX_COMMAND_ID', 'SIGNALBOX_PROCESS', 'SIGNALBOX_RUN'],
      ]);
    } finally {
      delete process.env.LD_PRELOAD_CANARY;
    }
  });

  it('is not read by a shell', async () => {
    const { stdout } = await exec(['echo', '$HOME; `id` && *']);
    expect(stdout).toBe('$HOME; `id` && *\n');
  });

  it('leads a session of its own: it does not end with the agent', async () => {
    const { stdout } = await exec(sh('cut -d" " -f1,5,6 /proc/$$/stat'));
    const [pid, group, session] = stdout.trim().split(' ');
    expect([group, session]).toEqual([pid, pid]);
  });

  it('is ended at its timeout with its whole tree, also the part that does not listen', async () => {
    const script = 'trap "" TERM; (trap "" TERM; sleep 60) & echo $!; sleep 60';
    const result = await exec(sh(script), { timeoutMs: 100 }, { killAfterMs: 200 });
    expect([result.timedOut, result.signal]).toEqual([true, 'SIGKILL']);
    expect(alive()).toEqual([]);
  });

  it('is ended with what made a session of its own', async () => {
    const file = join(folder, 'pid');
    const script = `setsid sh -c 'echo $$ > ${file}.new; mv ${file}.new ${file}; sleep 60' & sleep 60`;
    const controller = new AbortController();
    const running = exec(sh(script), {}, { signal: controller.signal });
    const pid = await until('the start', () => existsSync(file) && Number(readFileSync(file, 'utf8')));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(isAlive({ pid, startTicks: undefined })).toBe(false);
  });

  it('is ended without a child that left session and environment: only a unit would tell whose it is', async () => {
    const file = join(folder, 'pid');
    const child = `echo $$ > ${file}.new; mv ${file}.new ${file}; sleep 60`;
    const controller = new AbortController();
    const running = exec(sh(`env -i setsid sh -c '${child}' & sleep 60`), {}, { signal: controller.signal });
    const pid = await until('the start', () => existsSync(file) && Number(readFileSync(file, 'utf8')));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    const survived = isAlive({ pid, startTicks: undefined });
    signalGroup(pid, 'SIGKILL');
    expect(survived).toBe(true);
  });

  it('is ended when the execution is stopped, and the stop is thrown', async () => {
    const controller = new AbortController();
    const running = exec(sh('sleep 60 & sleep 60'), {}, { signal: controller.signal });
    await until('the start', () => alive().length > 0);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(alive()).toEqual([]);
  });

  it('whose leader is gone may still have children; they are found by group', async () => {
    await exec(sh('sleep 60 >/dev/null 2>&1 &'));
    const [group] = started;
    expect(alive()).toEqual(started);
    const unsure = [{ pid: group?.pid ?? 0, startTicks: undefined }];
    expect(livingGroups(command, unsure, { uncertain: false }).map(({ pid }) => pid)).toEqual([group?.pid]);
    expect(livingGroups(another, unsure, { uncertain: false })).toEqual([]);
    signalGroup(group?.pid ?? 0, 'SIGKILL');
    await until('its end', () => alive().length === 0);
  });

  it('that was being started when the agent died is found by its mark', async () => {
    const controller = new AbortController();
    const running = exec(['sleep', '60'], {}, { signal: controller.signal });
    await until('the start', () => alive().length > 0);
    expect(livingGroups(command, [], { uncertain: true }).map(({ pid }) => pid)).toEqual(started.map(({ pid }) => pid));
    expect(livingGroups(another, [], { uncertain: true })).toEqual([]);
    controller.abort(new Error('done'));
    await running.catch(() => {});
  });
});

describe('its output', () => {
  it('is given out while it runs', async () => {
    const seen: string[] = [];
    const controller = new AbortController();
    const running = exec(
      sh('echo early; sleep 60'),
      {},
      {
        signal: controller.signal,
        onText: (_, text) => void seen.push(text),
      },
    );
    await until('the first line', () => seen.join('') === 'early\n');
    controller.abort(new Error('done'));
    await running.catch(() => {});
  });

  it('is bounded on disk and for the caller, does not slow the child down, and its gaps are marked', async () => {
    let [text, lost] = [0, 0];
    const result = await exec(
      sh('i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero; i=$((i+1)); done'),
      { maxBytes: 1_000 },
      {
        capBytes: 300_000,
        onText(_, piece, lostBytes) {
          text += piece.length;
          lost += lostBytes;
        },
      },
    );
    expect([result.exitCode, result.stdout.length]).toEqual([0, 1_000]);
    // What the child writes in the instant in which its file is emptied is counted by nobody: on a busy machine that can be a part of it.
    expect(text + lost).toBeLessThanOrEqual(4_000_000);
    expect(lost).toBeGreaterThan(2_000_000);
    expect(statSync(join(folder, '0.out')).size).toBeLessThanOrEqual(300_000);
  });

  it('in a file without a name leaves nothing on disk', async () => {
    starter = directStarter;
    await exec(sh('echo secret'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('in a file is for the agent alone', async () => {
    await exec(sh('echo mine'));
    expect(statSync(join(folder, '0.out')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, '0.out'), 'utf8')).toBe('mine\n');
  });

  it('is decoded across the borders of what is read', async () => {
    const { stdout } = await exec(sh(`printf '\\303'; sleep 0.3; printf '\\274'`));
    expect(stdout).toBe('ü');
  });
});
