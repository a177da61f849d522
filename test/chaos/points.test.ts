import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POINTS } from '@signalbox/protocol/points';
import { expect, it } from 'vitest';
import { REPOSITORY } from '../lab/programs.ts';

it('every point of the list is passed by the programs, in one place each', () => {
  const sources = ['agent', 'coordinator'].flatMap((program) => sourcesOf(join(REPOSITORY, program, 'src')));
  const passed = sources.flatMap((text) => [...text.matchAll(/passPoint\('([^']+)'\)/g)].map(([, point]) => point));
  expect(passed.toSorted()).toEqual(Object.keys(POINTS).toSorted());
});

function sourcesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(folder, name), 'utf8'));
}
