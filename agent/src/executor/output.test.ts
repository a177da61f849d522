import { describe, expect, it } from 'vitest';
import { createOutput, type Piece } from './output.ts';

function outputOf(capBytes: number) {
  const pieces: Piece[] = [];
  return { pieces, output: createOutput(capBytes, (piece) => pieces.push(piece)) };
}

describe('published output', () => {
  it('is numbered, whole below its bound, and counted', () => {
    const { pieces, output } = outputOf(1_000);
    output.write('one\n');
    output.write('zwö\n');
    expect(output.end()).toBe(9);
    expect(pieces).toEqual([
      { seq: 0, text: 'one\n' },
      { seq: 1, text: 'zwö\n' },
    ]);
  });

  it('comes in pieces that fit into a message', () => {
    const { pieces, output } = outputOf(1_000_000);
    output.write('x'.repeat(200_000));
    expect(pieces.map(({ seq, text }) => [seq, text.length])).toEqual([
      [0, 65_536],
      [1, 65_536],
      [2, 65_536],
      [3, 3_392],
    ]);
  });

  it('over its bound leaves out the middle, says how much, and keeps the end', () => {
    const { pieces, output } = outputOf(100);
    output.write('a'.repeat(100));
    for (let i = 0; i < 1_000; i++) output.write(`${String(i).padStart(99, '.')}\n`);
    expect(output.end()).toBe(100_100);
    const [first, last] = pieces;
    expect([pieces.length, first?.text.length, last?.text.length]).toEqual([2, 100, 32_768]);
    expect(last?.gapBytes).toBe(100_000 - 32_768);
    expect(last?.text.endsWith('.999\n')).toBe(true);
  });

  it('marks what was lost on the way', () => {
    const { pieces, output } = outputOf(100);
    output.write('later', 70);
    expect(output.end()).toBe(75);
    expect(pieces).toEqual([{ seq: 0, text: 'later', gapBytes: 70 }]);
  });
});
