import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { trapsPage } from './reference.ts';
import { TRAPS } from './traps.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** What a trap is about needs real servers in places: those tests are not beside the code. */
const FOLDERS = ['packages/actions/src', 'packages/probes/src', 'protocol/src/readings', 'test/fast-data'];

describe('the traps', () => {
  it('are described in docs/traps.md', async () => {
    await expect(trapsPage()).toMatchFileSnapshot('../../../docs/traps.md');
  });

  it('each have a test that says so in its title', async () => {
    const titles: string[] = [];
    for (const folder of FOLDERS) {
      const src = join(repository, folder);
      const tests = (await readdir(src, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
      for (const file of tests) {
        titles.push(...((await readFile(join(src, file), 'utf8')).match(/\[T\d\d\]/g) ?? []));
      }
    }
    expect([...new Set(titles)].sort()).toEqual(
      Object.keys(TRAPS)
        .sort()
        .map((id) => `[${id}]`),
    );
  });
});
