import { describe, expect, it } from 'vitest';
import { codeTable, table } from './index.ts';

describe('a table of a reference page', () => {
  it('aligns its columns and takes a bar in a cell for text', () => {
    expect(table(['field', 'is'], [['a', 'x|y'], ['longer one']])).toEqual([
      '| field      | is   |',
      '| ---------- | ---- |',
      '| a          | x\\|y |',
      '| longer one |      |',
    ]);
  });

  it('lists codes with what to do', () => {
    const codes = { 'SB-X': { class: 'terminal', means: 'Broken.', next: 'Mend it.' } } as const;
    expect(codeTable(codes).at(-1)).toBe('| `SB-X` | terminal | Broken.       | Mend it.        |');
  });
});
