import { crc32 } from 'node:zlib';
import { compiled } from '@signalbox/protocol';
import { Place, RecordBody, type Stored } from './records.ts';

/**
 * One line is one record: eight hexadecimal digits of the CRC-32 of the JSON, a space, the JSON, a newline. JSON escapes
 * newlines, so a line break is always the end of a record.
 */
export function encodeLine(record: Stored): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

/** Why a journal cannot be trusted, at which line (1 is the first). */
export interface Damage {
  line: number;
  why: string;
}

export interface Scan {
  records: Stored[];
  /** Length of what was read as whole records. */
  goodBytes: number;
  /** The file ends in the middle of a record: the write was interrupted, and nobody was told of it. */
  torn: boolean;
  damage?: Damage;
}

/**
 * Reads a journal. A record is torn only when it is the last and incomplete: without its newline, or with blocks that
 * never reached the disk (NUL bytes). A complete line that does not fit its checksum was once whole, perhaps
 * acknowledged, and is damage even at the end [D2].
 */
export function scan(bytes: Uint8Array): Scan {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Stored[] = [];
  let start = 0;
  while (start < data.length) {
    const newline = data.indexOf(10, start);
    const end = newline < 0 ? data.length : newline;
    const last = newline < 0 || newline === data.length - 1;
    const read = readLine(data.subarray(start, end), records);
    const incomplete = newline < 0 || (last && data.subarray(start, end).includes(0));
    if (incomplete) return { records, goodBytes: start, torn: true };
    if (typeof read === 'string') {
      return { records, goodBytes: start, torn: false, damage: { line: records.length + 1, why: read } };
    }
    records.push(read);
    start = end + 1;
  }
  return { records, goodBytes: start, torn: false };
}

/** The record of a line, or why it is none. */
function readLine(line: Buffer, before: readonly Stored[]): Stored | string {
  const json = line.subarray(9).toString('utf8');
  if (line[8] !== 32 || line.subarray(0, 8).toString('latin1') !== checksum(json)) return 'the checksum does not fit';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'not JSON';
  }
  const place = compiled(Place).safeParse(value);
  const body = compiled(RecordBody).safeParse(value);
  if (!place.success || !body.success) return 'not a record that this version knows';
  const record = { ...body.data, n: place.data.n, atMs: place.data.atMs };
  return misplaced(record, before) ?? record;
}

/** Numbers grow by one; only what compaction left out may be missing. */
function misplaced(record: Stored, before: readonly Stored[]): string | undefined {
  const [first, previous] = [before[0], before.at(-1)];
  if (first?.type !== 'created' || previous === undefined) {
    return record.type === 'created' ? undefined : 'the first record is missing';
  }
  const leftOut = record.n > previous.n && record.n - 1 <= (first.compactedThrough ?? 0);
  if (record.n === previous.n + 1 || leftOut) return undefined;
  return `record ${record.n} follows record ${previous.n}`;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
