import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { alive, testFolder } from './booted.ts';
import { standinFile } from './executable.ts';
import { Janitor } from './janitor.ts';

const sleeper = () => spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' });
const stubborn = () => spawn('/bin/sh', ['-c', "trap '' TERM; echo up; while :; do sleep 1; done"], { detached: true });

describe('the janitor', () => {
  it('ends what it was given, newest first, and only once', async () => {
    const janitor = new Janitor();
    const ended: string[] = [];
    janitor.add('first', async () => void ended.push('first'));
    janitor.add('second', async () => void ended.push('second'));
    const endEarly = janitor.add('third', async () => void ended.push('third'));
    await endEarly();
    await Promise.all([janitor.sweep(), janitor.sweep()]);
    expect(ended).toEqual(['third', 'second', 'first']);
  });

  it('kills a process that will not end, and goes on with the others when one cannot be ended', async () => {
    const janitor = new Janitor();
    const child = sleeper();
    const deaf = stubborn();
    await once(deaf.stdout, 'data');
    janitor.adopt('sleeper', child);
    janitor.add('broken', async () => {
      throw new Error('no');
    });
    janitor.adopt('deaf', deaf);
    await expect(janitor.sweep()).rejects.toThrow('some of what was started');
    expect([child.signalCode, deaf.signalCode]).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it.each([
    ['Ctrl-C', 130, (main: ChildProcess) => void main.kill('SIGINT')],
    ['its reader has gone', 141, (main: ChildProcess) => void main.stdout?.destroy()],
  ])('leaves nothing behind after %s and exits as the shell expects', async (_, expected, strike) => {
    const script = join(testFolder(), 'main.mjs');
    const built = standinFile('../janitor');
    writeFileSync(
      script,
      `import { spawn } from 'node:child_process';
       import { Janitor } from ${JSON.stringify(built)};
       const janitor = new Janitor();
       janitor.onSignals(() => console.log('ending'));
       const child = spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' });
       janitor.adopt('sleep', child);
       setInterval(() => console.log(child.pid), 20);`,
    );
    const main = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = await once(main.stdout, 'data');
    expect(alive(Number(pid))).toBe(true);
    strike(main);
    const [code] = await once(main, 'exit');
    expect(code).toBe(expected);
    await until('the sleeper to be gone', () => !alive(Number(pid)));
  });
});
