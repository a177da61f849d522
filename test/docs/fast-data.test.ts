import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACCOUNTS, SIGNALBOX_PRIVILEGES } from '../fast-data/mongo/accounts.ts';
import { REPOSITORY } from '../lab/programs.ts';

const guide = readFileSync(join(REPOSITORY, 'docs', 'guides', 'fast-data.md'), 'utf8');
const folder = join(REPOSITORY, 'runbooks', 'fast-data');
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? '';

describe('the guide for Fast Data', () => {
  it('names the rights that the tests against real servers run with, and no others', () => {
    const { privileges, grants } = JSON.parse(block('json'));
    expect(privileges).toEqual(SIGNALBOX_PRIVILEGES);
    expect(grants).toEqual(ACCOUNTS.signalbox.roles.map(({ role }) => role));
  });

  it('names all runbooks of MongoDB, and gives only parameters that there are', () => {
    const runbooks = readdirSync(folder).filter((name) => name.startsWith('mongodb-'));
    for (const name of runbooks) expect(guide).toContain(`runbooks/fast-data/${name}`);
    const { spec } = parse(readFileSync(join(folder, 'mongodb-cutover.yaml'), 'utf8'));
    const wanted = Object.entries<{ default?: unknown }>(spec.params).filter(
      ([, { default: preset }]) => preset === undefined,
    );
    const given = Object.keys(parse(block('yaml')));
    expect(Object.keys(spec.params)).toEqual(expect.arrayContaining(given));
    expect(given).toEqual(expect.arrayContaining(wanted.map(([name]) => name)));
  });
});
