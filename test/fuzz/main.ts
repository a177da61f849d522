// `npm run fuzz -- --inputs N`: feeds everything that takes bytes from afar with what nobody meant to send.
import { Command, InvalidArgumentError } from 'commander';
import { fuzz } from './campaign.ts';
import { targets } from './targets.ts';

const count = (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a number above 0');
};

const { inputs, seed, only } = new Command('fuzz')
  .option('--inputs <n>', 'inputs in all, shared out between the targets', count, 100_000)
  .option('--seed <n>', 'the same inputs again', count, Date.now() % 1_000_000)
  .option('--only <text>', 'targets whose name has this in it', '')
  .parse()
  .opts<{ inputs: number; seed: number; only: string }>();

const chosen = targets().filter(({ name }) => name.includes(only));
let found = 0;
process.stdout.write(`seed ${seed}\n`);
for (const target of chosen) {
  const startMs = performance.now();
  const { slowestMs, findings } = fuzz(target, { inputs: Math.ceil(inputs / chosen.length), seed });
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  const each = Math.ceil(inputs / chosen.length);
  process.stdout.write(
    `${target.name.padEnd(24)} ${each} inputs  ${seconds} s  slowest ${slowestMs.toFixed(1)} ms  ${findings.length} findings\n`,
  );
  for (const { why, input } of findings)
    process.stdout.write(`  ${why.split('\n').slice(0, 4).join('\n  ')}\n  input ${input}\n`);
  found += findings.length;
}
process.exitCode = found === 0 ? 0 : 1;
