import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessGroup } from '../../ports.ts';
import { findExit } from './exit-file.ts';
import { PERL } from './gate.ts';
import { joinUnit } from './join-unit.ts';
import { createKeeper, type KeeperOptions } from './keeper.ts';
import type { Exit, KeeperMessage, StartRequest } from './wire.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-gate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = () => join(folder, '0');
const unit = (socket: string) => ({
  ...{ name: 'signalbox-x.scope', description: 'x', slice: 'x.slice', bus: `unix:path=${socket}` },
});
const PATH = '/usr/local/bin:/usr/bin:/bin';

interface Ended {
  exit: Exit;
  process: ProcessGroup | undefined;
  out: string;
  err: string;
}

/** Behind a gate that opens when `join` says so: at once, when it is left out. */
async function run(
  argv: readonly [string, ...string[]],
  request: Partial<StartRequest> = {},
  { join = async () => undefined }: KeeperOptions = {},
): Promise<Ended> {
  const keeper = createKeeper({ join });
  const ended = await new Promise<Extract<KeeperMessage, { type: 'ended' }>>((resolve) => {
    const whole = { id: 1, argv, env: { PATH }, files: files(), unit: unit('/none'), ...request };
    keeper.start(whole, (message) => message.type === 'ended' && resolve(message));
  });
  const [out = '', err = ''] = ['out', 'err'].map((stream) => readFileSync(`${files()}.${stream}`, 'utf8'));
  return { ...ended, out, err };
}

describe.runIf(existsSync(PERL))('a process that waits for its unit', () => {
  it('then has arguments, environment and input to the letter, and nothing beside', async () => {
    const env = { PATH, 'NO.NAME': '1=2', EMPTY: '', LINES: 'ä\nb', LC_ALL: 'none', PERL5OPT: '-Mnone' };
    const { out, err } = await run(['env', '-0'], { env });
    expect(out.split('\0').filter(Boolean).sort()).toEqual(
      Object.entries(env)
        .map((pair) => pair.join('='))
        .sort(),
    );
    expect(err).toBe('');
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'signalbox-gate-'));
    const script = 'cat; printf "[%s]" "$@"; ls /proc/self/fd; cut -d" " -f1,5,6 /proc/$$/stat';
    const argv = ['sh', '-c', script, '-e', '--', 'a b', '', '$HOME'] as const;
    const two = await run(argv, { stdin: 'in\n', cwd: folder });
    const [, shown, own] = /^in\n\[--\]\[a b\]\[\]\[\$HOME\]([\d\n]+)\n(\d+ \d+ \d+)\n$/.exec(two.out) ?? [];
    const { pid } = two.process ?? {};
    expect([shown?.split('\n').includes('4'), own]).toEqual([false, `${pid} ${pid} ${pid}`]);
    expect(two.exit).toMatchObject({ type: 'exited', exitCode: 0 });
  });

  it('ends as it would without: with its code, by a signal, or never begun', async () => {
    const ends: unknown[] = [];
    for (const argv of [['sh', '-c', 'exit 1'], ['sh', '-c', 'kill -9 $$'], ['no-such-program']] as const) {
      const { exit, process } = await run(argv);
      ends.push([exit, process === undefined]);
      rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(tmpdir(), 'signalbox-gate-'));
    }
    expect(ends).toEqual([
      [{ type: 'exited', exitCode: 1, durationMs: expect.any(Number) }, false],
      [{ type: 'signalled', signal: 'SIGKILL', durationMs: expect.any(Number) }, false],
      [{ type: 'not-started', reason: 'spawn no-such-program ENOENT' }, true],
    ]);
  });

  it('[I1] is not run when it gets none, and the disk says so', async () => {
    const { exit, process } = await run(['touch', join(folder, 'ran')], {}, { join: joinUnit });
    expect(exit).toMatchObject({ type: 'no-unit', reason: expect.stringContaining('signalbox-x.scope') });
    expect([process, existsSync(join(folder, 'ran'))]).toEqual([undefined, false]);
    expect(findExit(files())).toEqual({ exit });
  });

  it('[I1] is not run when it was killed meanwhile', async () => {
    const killed = async (pid: number) => void process.kill(pid, 'SIGKILL');
    const { exit } = await run(['touch', join(folder, 'ran')], {}, { join: killed as typeof joinUnit });
    expect(exit).toMatchObject({ type: 'not-started' });
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('does not wait for a bus that never answers', async () => {
    const silent = createServer(() => {});
    const socket = join(folder, 'bus');
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    try {
      expect(await joinUnit(process.pid, unit(socket), 100)).toContain('no answer within 0.1 s');
    } finally {
      silent.close();
    }
  });
});
