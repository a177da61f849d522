import { describe, expect, it } from 'vitest';
import { encodeLine, scan } from './line.ts';
import type { Stored } from './records.ts';

const created: Stored = {
  type: 'created',
  ...{ n: 1, atMs: 0, journal: 'j', mesh: 'lab', host: 'h1', machine: 'm', boot: 'b' },
};
const opened = (n: number): Stored => ({ type: 'opened', n, atMs: n, instance: 'ü\n', boot: 'b', version: '1' });
const whole = [created, opened(2), opened(3)].map(encodeLine).join('');
const bytes = (text: string) => Buffer.from(text);

describe('a journal’s lines', () => {
  it('come back as they were written, one record a line', () => {
    expect(whole.split('\n')).toHaveLength(4);
    expect(scan(bytes(whole))).toEqual({
      records: [created, opened(2), opened(3)],
      goodBytes: Buffer.byteLength(whole),
      torn: false,
    });
  });

  it('[D2] that end in the middle of the last record are torn there, at any byte', () => {
    const two = Buffer.byteLength([created, opened(2)].map(encodeLine).join(''));
    for (let length = two + 1; length < Buffer.byteLength(whole); length++) {
      const cut = scan(bytes(whole).subarray(0, length));
      expect(cut).toMatchObject({ goodBytes: two, torn: true });
      expect(cut.damage).toBeUndefined();
    }
  });

  it('that end in blocks which never reached the disk are torn', () => {
    expect(scan(bytes(`${whole}\0\0\0\0`))).toMatchObject({ torn: true, goodBytes: Buffer.byteLength(whole) });
    expect(scan(bytes(`${whole}abc\0\0\0\n`))).toMatchObject({ torn: true, goodBytes: Buffer.byteLength(whole) });
  });

  it('[D2] that are damaged anywhere else are damaged, the last complete one included', () => {
    for (const line of [1, 2, 3]) {
      const lines = whole.split('\n');
      lines[line - 1] = lines[line - 1]?.replace('"b"', '"c"') ?? '';
      const { records, damage, torn } = scan(bytes(lines.join('\n')));
      expect([records.length, damage, torn]).toEqual([line - 1, { line, why: 'the checksum does not fit' }, false]);
    }
  });

  it('miss no record, except what compaction left out', () => {
    const gap = scan(bytes([created, opened(3)].map(encodeLine).join('')));
    expect(gap.damage).toEqual({ line: 2, why: 'record 3 follows record 1' });
    const headless = scan(bytes(encodeLine(opened(2))));
    expect(headless.damage?.why).toBe('the first record is missing');
    const compacted = [{ ...created, compactedThrough: 7 }, opened(4), opened(8), opened(9)];
    expect(scan(bytes(compacted.map(encodeLine).join(''))).records).toHaveLength(4);
    const lost = [{ ...created, compactedThrough: 7 }, opened(9)];
    expect(scan(bytes(lost.map(encodeLine).join(''))).damage?.why).toBe('record 9 follows record 1');
  });

  it('of a kind that this version does not know stop it from guessing', () => {
    const strange = { ...opened(2), type: 'sealed' } as unknown as Stored;
    expect(scan(bytes([created, strange].map(encodeLine).join(''))).damage?.why).toBe(
      'not a record that this version knows',
    );
  });
});
