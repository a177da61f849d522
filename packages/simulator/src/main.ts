#!/usr/bin/env node
import { makeSignaturesCheap } from './keys.ts';
import { simulate } from './simulation.ts';

makeSignaturesCheap();
Error.stackTraceLimit = 0;
const args = process.argv.slice(2);
const value = (flag: string) => {
  const i = args.indexOf(flag);
  return i < 0 ? undefined : Number(args[i + 1]);
};
const one = value('--seed');
if (one !== undefined) {
  const result = await simulate({ seed: one, trace: true });
  console.log(result.trace.join('\n'));
  console.log(result.status, result.broken?.message ?? 'ok');
} else {
  const from = value('--from') ?? 1;
  const n = value('--seeds') ?? 100;
  const t0 = performance.now();
  const statuses: Record<string, number> = {};
  const broken: Record<string, number[]> = {};
  let ms = 0,
    entries = 0;
  for (let seed = from; seed < from + n; seed++) {
    const result = await simulate({ seed });
    statuses[result.status] = (statuses[result.status] ?? 0) + 1;
    ms += result.simulatedMs;
    entries += result.entries;
    if (result.broken) (broken[result.broken.message.replace(/-?\d+/g, 'N').slice(0, 120)] ??= []).push(seed);
  }
  const s = (performance.now() - t0) / 1000;
  console.log(n, 'runs', (n / s).toFixed(1), '/s', statuses, 'avg simulated s', ms / n / 1000, 'entries', entries / n);
  for (const [k, v] of Object.entries(broken)) console.log(v.length, k, v.slice(0, 6).join(' '));
}
