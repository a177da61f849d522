/** Numbers from one seed: the same ones each time (mulberry32, by Tommy Ettinger, public domain). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

type Numbers = (below: number) => number;

/** What parsers stumble over: ends of numbers, of texts and of nesting. */
const PIECES = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '"',
    '\\',
    '{',
    '}',
    '[[[[[[[[',
    ']',
    ':',
    '- ',
    '&a',
    '*a',
    '<<: *a',
    '!!js ',
    '${',
    '}',
    '\u202e',
    '\ud800',
    '\u{1f600}',
  ],
  ...[
    '-1',
    '1e999',
    '0x7fffffff',
    '9007199254740993',
    'null',
    'true',
    '__proto__',
    'constructor',
    '../',
    '=',
    '%00',
    ' ',
    '\t',
    '#',
  ],
].map((text) => Buffer.from(text));

/** A few changes to one of the corpus: bits, pieces, cuts, doubled and swapped parts, parts of another one. */
export function mutate(corpus: readonly Uint8Array[], numbers: Numbers): Buffer {
  const pick = <T>(all: readonly T[]): T => all[numbers(all.length)] as T;
  let data = Buffer.from(pick(corpus));
  for (let changes = 1 + numbers(4); changes > 0; changes--) {
    const at = numbers(data.length + 1);
    const length = numbers(Math.min(64, data.length - at + 1));
    const [before, part, after] = [data.subarray(0, at), data.subarray(at, at + length), data.subarray(at + length)];
    switch (numbers(7)) {
      case 0: {
        data = Buffer.from(data);
        if (at < data.length) data[at] = (data[at] ?? 0) ^ (1 << numbers(8));
        break;
      }
      case 1:
        data = Buffer.concat([before, pick(PIECES), part, after]);
        break;
      case 2:
        data = Buffer.concat([before, after]);
        break;
      case 3:
        data = Buffer.concat([before, part, part, part, after]);
        break;
      case 4:
        data = Buffer.concat([before, pick(PIECES), after]);
        break;
      case 5: {
        const other = Buffer.from(pick(corpus));
        const from = numbers(other.length + 1);
        data = Buffer.concat([before, other.subarray(from, from + numbers(200)), after]);
        break;
      }
      default:
        data = Buffer.from(data.subarray(0, at));
    }
  }
  return data;
}
