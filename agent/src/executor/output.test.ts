import { describe, expect, it } from 'vitest';
import { createOutput, type Piece, type Progress } from './output.ts';

function outputOf(capBytes: number) {
  const pieces: Piece[] = [];
  return { pieces, output: createOutput({ capBytes, send: (piece) => pieces.push(piece) }) };
}

describe('published output', () => {
  it('is numbered, whole below its bound, and counted', () => {
    const { pieces, output } = outputOf(1_000);
    output.write('a', 'one\n');
    output.write('a', 'zwö\n');
    expect(output.end()).toBe(9);
    expect(pieces).toEqual([
      { seq: 0, text: 'one\n' },
      { seq: 1, text: 'zwö\n' },
    ]);
  });

  it('comes in pieces that fit into a message', () => {
    const { pieces, output } = outputOf(1_000_000);
    output.write('a', 'x'.repeat(200_000));
    expect(pieces.map(({ seq, text }) => [seq, text.length])).toEqual([
      [0, 65_536],
      [1, 65_536],
      [2, 65_536],
      [3, 3_392],
    ]);
  });

  it('over its bound leaves out the middle, says how much, and keeps the end', () => {
    const { pieces, output } = outputOf(100);
    output.write('a', 'a'.repeat(100));
    for (let i = 0; i < 1_000; i++) output.write('a', `${String(i).padStart(99, '.')}\n`);
    expect(output.end()).toBe(100_100);
    const [first, last] = pieces;
    expect([pieces.length, first?.text.length, last?.text.length]).toEqual([2, 100, 32_768]);
    expect(last?.gapBytes).toBe(100_000 - 32_768);
    expect(last?.text.endsWith('.999\n')).toBe(true);
  });

  it('marks what was lost on the way', () => {
    const { pieces, output } = outputOf(100);
    output.write('a', 'later', 70);
    expect(output.end()).toBe(75);
    expect(pieces).toEqual([{ seq: 0, text: 'later', gapBytes: 70 }]);
  });
});

describe('output that goes on after a restart', () => {
  /** What is remembered is all that an agent leaves, at any moment. */
  function life(capBytes: number, before?: Progress) {
    const pieces: Piece[] = [];
    const left: { progress: Progress | undefined } = { progress: before };
    const remember = (progress: Progress) => {
      left.progress = structuredClone(progress);
    };
    return { pieces, left, output: createOutput({ capBytes, send: (piece) => pieces.push(piece), before, remember }) };
  }
  const byNumber = (...lives: { pieces: Piece[] }[]) => {
    const all = new Map<number, string>();
    for (const { seq, text } of lives.flatMap(({ pieces }) => pieces)) {
      expect(all.get(seq) ?? text).toBe(text);
      all.set(seq, text);
    }
    return [...all].sort(([a], [b]) => a - b).map(([, text]) => text);
  };

  it('has no gap and says nothing twice under two numbers', () => {
    const first = life(1_000);
    first.output.write('0.out', 'one\ntw');
    first.output.write('0.err', 'oh\n');
    first.output.write('0.out', 'o\n');
    const second = life(1_000, first.left.progress);
    second.output.write('0.out', 'one\ntwo\nthree\n');
    second.output.write('0.err', 'oh\nno\n');
    expect(second.output.end()).toBe('one\ntwo\nthree\noh\nno\n'.length);
    expect(byNumber(first, second)).toEqual(['one\ntw', 'oh\n', 'o\n', 'three\n', 'no\n']);
  });

  it('sends the last pieces again as they were: they may have been lost with the agent', () => {
    const first = life(100_000);
    for (let i = 0; i < 12; i++) first.output.write('0.out', `${i},`);
    const second = life(100_000, first.left.progress);
    for (const text of ['0,1,2,3,4,5,', '6,7,8,9,10,11,']) second.output.write('0.out', text);
    second.output.end();
    expect(second.pieces).toEqual(first.pieces.slice(4));
  });

  it('stays within its bound, and keeps one end', () => {
    const text = Array.from({ length: 100 }, (_, i) => `${String(i).padStart(999, '.')}\n`).join('');
    const first = life(10_000);
    for (let at = 0; at < 50_000; at += 2_500) first.output.write('0.out', text.slice(at, at + 2_500));
    const second = life(10_000, first.left.progress);
    second.output.write('0.out', text);
    expect(second.output.end()).toBe(100_000);
    const last = second.pieces.at(-1);
    expect([last?.seq, last?.gapBytes, last?.text]).toEqual([4, 100_000 - 10_000 - 32_768, text.slice(-32_768)]);
    const third = life(10_000, second.left.progress);
    third.output.write('0.out', text);
    third.output.end();
    expect(third.pieces.at(-1)).toEqual(last);
    expect(new Set(third.pieces.map(({ seq }) => seq)).size).toBe(5);
  });
});
