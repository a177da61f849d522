import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../lab/programs.ts';

const text = readFileSync(join(REPOSITORY, 'docs', 'security.md'), 'utf8');

describe('the threat model', () => {
  it('names in each line the tests that show it, and they are there', () => {
    const table = text.split('\n## ').find((part) => part.startsWith('Who might want it')) ?? '';
    const lines = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (who has|---)/.test(line));
    expect(lines.length).toBeGreaterThan(20);
    const shown = (line: string) => (line.split(' | ').at(-1) ?? '').match(/`[^`]+`/g) ?? [];
    expect(lines.filter((line) => shown(line).length === 0)).toEqual([]);
    const files = [...new Set(text.match(/[\w./-]+\.test\.ts/g))];
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
  });
});
