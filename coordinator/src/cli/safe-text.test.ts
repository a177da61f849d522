import { describe, expect, it } from 'vitest';
import { safeBlock, safeText } from './safe-text.ts';

describe('text from afar', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a\rb', 'a\\rb'],
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u009b2J', '\\x9b2J'],
    ['abc\u202ecba', 'abc\\u202ecba'],
    ['Ölçüm 日本語 ✓', 'Ölçüm 日本語 ✓'],
  ])('%j cannot steer the terminal', (text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  it('keeps the lines and tabs of a block, and nothing else', () => {
    expect(safeBlock('a\tb\r\nc\u001b[1A\n')).toBe('a\tb\nc\\x1b[1A\n');
  });
});
