#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { Catalogue, Plan } from '@signalbox/protocol';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { Broken } from './broken.ts';
import { type Campaign, campaign } from './campaign.ts';
import { makeSignaturesCheap } from './keys.ts';
import { type PlanDaysOptions, simulatePlan, simulatePlanOnce } from './runbook/fates.ts';
import { screenOf } from './runbook/screen.ts';
import { simulate } from './simulation.ts';

/** More than these are counted, not shown: they are mostly one and the same mistake. */
const SHOWN = 10;

const Given = z.object({ plan: Plan, catalogue: Catalogue });

const program = new Command('signalbox-simulate')
  .description('Runs the real coordinator and agents through bad days, without touching a host.')
  .option('--seeds <n>', 'how many days', whole, 2_000)
  .option('--from <seed>', 'the first of them', whole, 1)
  .option('--seed <seed>', 'one day, with everything that happens in it', whole)
  .addHelpText(
    'after',
    '\nExample: npm run sim -- --seeds 10000 --from 1\nEvery day follows from its seed: --seed N shows it again, event by event (only keys and hashes are new each time).',
  )
  .action(async ({ seeds, from, seed }: { seeds: number; from: number; seed?: number }) => {
    makeSignaturesCheap();
    // Failures are made by the thousand here, and nobody reads where.
    Error.stackTraceLimit = 0;
    process.exitCode = seed === undefined ? await many({ from, seeds }) : await one(seed);
  });

program
  .command('runbook')
  .description('The same with the plan of a runbook, read from standard input; `signalbox simulate FILE` starts it.')
  .option('--json', 'data instead of text')
  .action(async ({ json }: { json?: boolean }) => {
    makeSignaturesCheap();
    Error.stackTraceLimit = 0;
    const { seeds, from, seed } = program.opts<{ seeds: number; from: number; seed?: number }>();
    const given = Given.parse(JSON.parse(await text(process.stdin)));
    process.exitCode =
      seed === undefined ? await planDays({ ...given, from, seeds }, json === true) : await retold(given, seed);
  });

async function planDays(options: PlanDaysOptions, json: boolean): Promise<number> {
  const days = await simulatePlan(options);
  process.stdout.write(`${json ? JSON.stringify(days) : screenOf(days).join('\n')}\n`);
  return days.broken.length === 0 ? 0 : 1;
}

async function retold(given: z.infer<typeof Given>, seed: number): Promise<number> {
  const { trace, status, broken } = await simulatePlanOnce(given, seed);
  process.stdout.write(`${trace.join('\n')}\nseed ${seed}: ${endingOf(status, broken)}\n`);
  return broken ? 1 : 0;
}

async function many(range: { from: number; seeds: number }): Promise<number> {
  const result = await campaign(range);
  process.stdout.write(`${summary(result)}\n`);
  const [first] = result.broken;
  return first === undefined ? 0 : await one(first.seed);
}

async function one(seed: number): Promise<number> {
  const { trace, status, broken } = await simulate({ seed, trace: true });
  process.stdout.write(`${trace.join('\n')}\nseed ${seed}: ${endingOf(status, broken)}\n`);
  return broken ? 1 : 0;
}

function endingOf(status: string, broken: Broken | undefined): string {
  return broken?.message ?? `every invariant holds; the run is ${status}`;
}

function summary({ runs, endings, troubles, broken, simulatedMs, tookMs, cpuMs }: Campaign): string {
  const seconds = tookMs / 1_000;
  const lines = [
    `${runs} runs in ${seconds.toFixed(1)} s (${((runs * 1_000) / cpuMs).toFixed(0)} a second of one core), ${(simulatedMs / 3_600_000).toFixed(1)} hours of simulated time`,
    [...endings].map(([status, count]) => `${count} ${status}`).join(', '),
    `days with each kind of trouble: ${[...troubles].map(([what, days]) => `${what} ${days}`).join(', ')}`,
    broken.length === 0 ? 'every invariant holds' : `${broken.length} broken:`,
    ...broken.slice(0, SHOWN).map(({ seed, what }) => `  --seed ${seed}  ${what}`),
  ];
  return lines.join('\n');
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('not a whole number');
}

await program.parseAsync();
