import { mutate, numbersFrom } from './mutate.ts';
import type { Target } from './target.ts';

/** Longer than anything of this size may take: whoever sends it could stop the program with it. */
const HANG_MS = 2_000;

export interface Finding {
  readonly target: string;
  readonly why: string;
  readonly input: string;
}

export interface Fuzzed {
  readonly inputs: number;
  readonly slowestMs: number;
  readonly findings: Finding[];
}

/** Feeds a target with so many inputs that follow from the seed. The input of a finding is kept in base64. */
export function fuzz(target: Target, { inputs, seed }: { inputs: number; seed: number }): Fuzzed {
  const numbers = numbersFrom(seed);
  const findings: Finding[] = [];
  let slowestMs = 0;
  for (let i = 0; i < inputs && findings.length < 10; i++) {
    const data = mutate(target.corpus, numbers);
    const startMs = performance.now();
    const said = target.feed(data);
    const tookMs = performance.now() - startMs;
    slowestMs = Math.max(slowestMs, tookMs);
    const why = said ?? (tookMs > HANG_MS ? `took ${Math.round(tookMs)} ms` : undefined);
    if (why !== undefined) findings.push({ target: target.name, why, input: data.toString('base64') });
  }
  return { inputs, slowestMs, findings };
}
