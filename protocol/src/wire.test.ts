import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compiled, wire } from './wire.ts';

const Shape = wire({
  name: z.string().min(2),
  count: z.int().default(3),
  kind: z.discriminatedUnion('type', [
    wire({ type: z.literal('a'), at: z.number() }),
    wire({ type: z.literal('b'), tags: z.record(z.string(), z.string()).optional() }),
  ]),
});

describe('a compiled schema', () => {
  it.each([
    ['whole', { name: 'ab', count: 1, kind: { type: 'a', at: 0.5 } }],
    ['with a default', { name: 'ab', kind: { type: 'b', tags: { x: 'y' } } }],
    ['with fields of a newer version', { name: 'ab', newer: [1], kind: { type: 'b', newer: {} } }],
    ['too short', { name: 'a', kind: { type: 'b' } }],
    ['of an unknown type', { name: 'ab', kind: { type: 'c' } }],
    ['with several mistakes', { count: 1.5, kind: { type: 'a', at: '1' } }],
    ['no object', 'text'],
    ['with a prototype for a field', JSON.parse('{"name":"ab","kind":{"type":"b"},"__proto__":{"count":9}}')],
  ])('reads what is %s as the schema does, with the same words for what it refuses', (_, value) => {
    const [own, plain] = [compiled(Shape).safeParse(value), Shape.safeParse(value)];
    expect(own.data).toEqual(plain.data);
    expect(own.error?.issues).toEqual(plain.error?.issues);
  });

  it('is made once', () => {
    expect(compiled(Shape)).toBe(compiled(Shape));
  });
});
