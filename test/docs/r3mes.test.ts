import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exampleOf } from '../lab/examples.ts';
import { REPOSITORY } from '../lab/programs.ts';

const folder = join(REPOSITORY, 'runbooks', 'r3mes');
const RUNBOOKS = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const guide = readFileSync(join(REPOSITORY, 'docs', 'guides', 'r3mes.md'), 'utf8');

describe('the runbooks of R3MES', () => {
  it('are all named by the guide', () => {
    for (const name of RUNBOOKS) expect(guide).toContain(`runbooks/r3mes/${name}`);
  });

  it.each(RUNBOOKS)('%s begins with an example that gives what it needs, and what it knows', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const params: Record<string, { default?: unknown }> = parse(text).spec.params;
    const needed = Object.keys(params).filter((param) => params[param]?.default === undefined);
    const given = Object.keys(exampleOf(text));
    expect(given).toEqual(expect.arrayContaining(needed));
    expect(Object.keys(params)).toEqual(expect.arrayContaining(given));
  });
});
