import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACCOUNTS, SIGNALBOX_PRIVILEGES } from '../fast-data/mongo/accounts.ts';
import { REPOSITORY } from '../lab/programs.ts';

/** In the order in which the guide gives their parameters. */
const RUNBOOKS = ['mongodb-cutover', 'preflight', 'kafka-cutover', 'services-move', 'platform-cutover'];
const guide = readFileSync(join(REPOSITORY, 'docs', 'guides', 'fast-data.md'), 'utf8');
const folder = join(REPOSITORY, 'runbooks', 'fast-data');
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);

describe('the guide for Fast Data', () => {
  it('names the rights that the tests against real servers run with, and no others', () => {
    const { privileges, grants } = JSON.parse(blocks('json')[0] ?? '');
    expect(privileges).toEqual(SIGNALBOX_PRIVILEGES);
    expect(grants).toEqual(ACCOUNTS.signalbox.roles.map(({ role }) => role));
  });

  it('names all runbooks', () => {
    for (const name of readdirSync(folder)) expect(guide).toContain(`runbooks/fast-data/${name}`);
  });

  it.each(RUNBOOKS)('gives the parameters of %s that there are', (name) => {
    const { spec } = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    const wanted = Object.entries<{ default?: unknown }>(spec.params).filter(
      ([, { default: preset }]) => preset === undefined,
    );
    const given = blocks('yaml').map((text) => Object.keys(parse(text)))[RUNBOOKS.indexOf(name)];
    expect(Object.keys(spec.params)).toEqual(expect.arrayContaining(given ?? []));
    expect(given).toEqual(expect.arrayContaining(wanted.map(([param]) => param)));
  });
});
