import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endProcess } from '../lab/janitor.ts';
import { REPOSITORY } from '../lab/programs.ts';
import { processesOf } from './support/processes.ts';

/** Every command of the page in its order, with the exit code that the page announces. */
function commandsOf(page: string): { command: string; exits: number }[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.split('\n').filter((line) => line.trim() !== ''));
  return lines.map((command) => ({ command, exits: Number(/# exits with (\d+)$/.exec(command)?.[1] ?? 0) }));
}

describe('docs/guides/ten-minutes.md', () => {
  it('does what it says, command by command, and leaves nothing behind', { timeout: 300_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sb-t-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const env = { ...process.env, TMPDIR: dir };
    const [first, ...others] = commandsOf(readFileSync(join(REPOSITORY, 'docs/guides/ten-minutes.md'), 'utf8'));
    expect([first?.command, others.length]).toEqual(['npm run playground', 14]);

    // The first terminal.
    const [program = '', ...args] = first?.command.split(' ') ?? [];
    const terminal = { cwd: REPOSITORY, env, detached: true } as const;
    const playground = spawn(program, args, { ...terminal, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(playground, 'exit');
    /** As a terminal does it: the whole group hears it. */
    const ctrlC = async () => {
      if (playground.pid && playground.exitCode === null && playground.signalCode === null) {
        process.kill(-playground.pid, 'SIGINT');
      }
      await ended;
    };
    onTestFinished(ctrlC);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: playground.stdout }).on('line', (line) => void (line.startsWith('ready') && resolve()));
      playground.once('exit', (code) => reject(new Error(`the playground ended with ${code}`)));
    });

    // The second: one shell, so that what is exported stays.
    const typed = others.map(({ command }, i) => `${command}\nprintf '\\n@%s %s\\n' ${i} "$?"`).join('\n');
    const shell = spawn('bash', ['-c', typed], { cwd: REPOSITORY, env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => endProcess(shell));
    const said = await text(shell.stdout);
    const codes = [...said.matchAll(/^@(\d+) (\d+)$/gm)].map(([, i, code]) => ({
      command: others[Number(i)]?.command,
      exits: Number(code),
    }));
    expect(codes, said).toEqual(others);
    expect(said).toMatch(/r3mes-node-upgrade-1[\s\S]*completed[\s\S]*r3mes-node-upgrade-2[\s\S]*rolled-back/);

    await ctrlC();
    await until('everything to be gone', () => processesOf(dir).length === 0);
    expect(existsSync(join(dir, 'signalbox-playground'))).toBe(false);
  });
});
