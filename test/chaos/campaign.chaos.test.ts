import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { processesOf } from '../e2e/support/processes.ts';
import { sayTo } from '../lab/child.ts';
import { REPOSITORY } from '../lab/programs.ts';

const PROGRAM = join(REPOSITORY, 'test', 'dist', 'chaos', 'main.js');
const plant = (name: string) => join(REPOSITORY, 'test', 'dist', 'chaos', 'plants', `${name}.js`);
const FIVE_MINUTES_MS = 300_000;

const Summary = z.object({
  dir: z.string(),
  kills: z.number(),
  runs: z.number(),
  violations: z.array(z.object({ law: z.string(), what: z.string() })),
  resumed: z.object({ medianMs: z.number(), worstMs: z.number() }).partial(),
});

async function campaign(...args: string[]) {
  const said = await sayTo([PROGRAM, '--json', ...args], { timeoutMs: 4 * FIVE_MINUTES_MS });
  const line = said.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`no result:\n${said.stdout}${said.stderr}`);
  const summary = Summary.parse(JSON.parse(line));
  console.log(`${said.stderr.trim()}\n${summary.kills} kills, ${summary.runs} runs`, summary.resumed);
  return summary;
}

describe('[I1] [I4] [I5] [I8] [I11] the kill campaign', () => {
  it('100 kills: nothing is run twice, no outcome is lost, every run ends; and nothing is left behind', async () => {
    const { dir, kills, runs, violations } = await campaign('--kills', '100');
    expect(violations).toEqual([]);
    expect(kills).toBeGreaterThanOrEqual(100);
    expect(runs).toBeGreaterThan(10);
    expect(processesOf(dir)).toEqual([]);
  });

  // A campaign that finds nothing is worth nothing unless it would have found something.
  it.each([
    ['presumes', 'agent.command.acknowledged,agent.process.starting', 'unfounded'],
    ['repeats', 'agent.process.started', 'twice'],
  ])('finds the planted mistake %s', async (name, points, law) => {
    const { dir, violations } = await campaign('--kills', '6', '--points', points, '--plant', plant(name));
    // A night in which a law was broken is kept for whoever wants to know why.
    rmSync(dir, { recursive: true });
    expect(violations.map((violation) => violation.law)).toContain(law);
  });
});
