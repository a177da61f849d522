import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/programs.ts';

const TEXT = readFileSync(join(REPOSITORY, 'docs', 'guides', 'fast-data.md'), 'utf8');
const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** What the guide has people type for a runbook, in its order: the words behind `signalbox`. */
export function guided(runbook: string): string[][] {
  const plain = [...TEXT.matchAll(BLOCK)].filter(([, language]) => language === '');
  const blocks = plain.map(([, , text = '']) => text.trim().split('\n'));
  const block = blocks.find((lines) => lines.some((line) => line.includes(`runbooks/fast-data/${runbook}.yaml`)));
  if (!block?.every((line) => line.startsWith('signalbox ')))
    throw new Error(`the guide has no commands for ${runbook}`);
  return block.map((line) => line.split(' ').slice(1));
}
