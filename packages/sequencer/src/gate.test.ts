import type { Json } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { type GateSpec, type GateVerdict, observe, openGate } from './gate.ts';

const SPEC: GateSpec = {
  until: { ok: { equals: true } },
  failIf: undefined,
  forMs: 10_000,
  tolerateMs: 0,
  once: false,
  everyMs: 2_000,
};

type Seen = readonly [second: number, values: Record<string, Json> | undefined];

/** Samples by second; answers with the verdict of each. */
function watch(spec: Partial<GateSpec>, seen: readonly Seen[], seed?: Record<string, Json>): GateVerdict[] {
  let open = openGate({ ...SPEC, ...spec }, seed && { atMs: 0, values: seed });
  return seen.map(([second, values]) => {
    const { watch: next, verdict } = observe(open, second * 1_000, values);
    open = next;
    return verdict;
  });
}

const kinds = (spec: Partial<GateSpec>, seen: readonly Seen[], seed?: Record<string, Json>) =>
  watch(spec, seen, seed).map((verdict) => verdict.kind);

const every = (seconds: readonly number[], values: (i: number) => Record<string, Json>): Seen[] =>
  seconds.map((second, i) => [second, values(i)] as const);

const TWOS = [0, 2, 4, 6, 8, 10];

describe('a window', () => {
  it('is met when the condition has held without a break for its whole time', () => {
    const verdicts = watch(
      {},
      every(TWOS, () => ({ ok: true })),
    );
    expect(verdicts.map((v) => v.kind)).toEqual(['waiting', 'waiting', 'waiting', 'waiting', 'waiting', 'met']);
    expect(verdicts.at(-1)).toMatchObject({ heldMs: 10_000, values: { ok: true } });
  });

  it('begins again when one sample breaks it, and says why', () => {
    const verdicts = watch({}, [
      [0, { ok: true }],
      [8, { ok: false }],
      [10, { ok: true }],
      [12, { ok: true }],
    ]);
    expect(verdicts.map((v) => v.kind)).toEqual(['waiting', 'broken', 'waiting', 'waiting']);
    expect(verdicts[1]).toMatchObject({ why: 'ok false, want equals true' });
  });

  it('is met by one good sample when it has no time', () => {
    expect(
      kinds({ forMs: 0 }, [
        [0, { ok: false }],
        [2, { ok: true }],
      ]),
    ).toEqual(['broken', 'met']);
  });

  it('does not reach over missing samples, except as long as they are tolerated', () => {
    const seen: Seen[] = [
      [0, { ok: true }],
      [2, undefined],
      [4, undefined],
      [6, { ok: true }],
      [10, { ok: true }],
    ];
    expect(kinds({}, seen)).toEqual(['waiting', 'broken', 'waiting', 'waiting', 'waiting']);
    expect(kinds({ tolerateMs: 5_000 }, seen)).toEqual(['waiting', 'waiting', 'waiting', 'waiting', 'met']);
    expect(kinds({ tolerateMs: 3_000 }, seen)).toEqual(['waiting', 'waiting', 'broken', 'waiting', 'waiting']);
  });

  it('does not reach over a time in which nobody looked', () => {
    expect(
      kinds({}, [
        [0, { ok: true }],
        [60, { ok: true }],
        [62, { ok: true }],
      ]),
    ).toEqual(['waiting', 'waiting', 'waiting']);
  });

  it('counts nothing as missing before the first sample has come', () => {
    expect(
      kinds({ forMs: 0 }, [
        [0, undefined],
        [9, undefined],
        [10, { ok: true }],
      ]),
    ).toEqual(['waiting', 'waiting', 'met']);
  });
});

describe('trends', () => {
  const rising = { until: { height: { rising: true } } };

  it('[T23] of a chain that moves are met', () => {
    expect(
      kinds(
        rising,
        every(TWOS, (i) => ({ height: 100 + i })),
      ).at(-1),
    ).toBe('met');
  });

  it('[T23] of a chain that rose and then stands are not: only the last `for` counts', () => {
    const seen = every([0, 2, 4, 6, 8, 10, 12, 14, 16, 18], (i) => ({ height: Math.min(103, 100 + i) }));
    expect(kinds(rising, seen).slice(5)).toEqual(['met', 'met', 'met', 'waiting', 'waiting']);
  });

  it('begin again when the value falls', () => {
    const heights = [100, 101, 90, 91, 92, 93];
    expect(
      kinds(
        rising,
        every(TWOS, (i) => ({ height: heights[i] ?? 0 })),
      ),
    ).toEqual(['waiting', 'waiting', 'broken', 'waiting', 'waiting', 'waiting']);
  });

  it('of a counter that must stand still begin again when it has moved', () => {
    const restarts = [0, 0, 1, 1, 1, 1, 1, 1];
    const seen = every([...TWOS, 12, 14], (i) => ({ restarts: restarts[i] ?? 0 }));
    expect(kinds({ until: { restarts: { still: true } } }, seen)).toEqual([
      'waiting',
      'waiting',
      'broken',
      'waiting',
      'waiting',
      'waiting',
      'waiting',
      'met',
    ]);
  });

  it('need two samples', () => {
    expect(
      kinds({ ...rising, forMs: 0 }, [
        [0, { height: 1 }],
        [2, { height: 2 }],
      ]),
    ).toEqual(['waiting', 'met']);
  });
});

describe('failIf', () => {
  const failIf = { restarts: { rising: true }, unitState: { equals: 'failed' } };
  const fine = { ok: true, restarts: 3, unitState: 'active' };

  it('ends the gate at once, by any one of its comparisons', () => {
    expect(kinds({ failIf }, [[0, { ...fine, unitState: 'failed' }]])).toEqual(['failed']);
    expect(
      watch({ failIf }, [
        [0, fine],
        [2, { ...fine, restarts: 4 }],
      ]).at(-1),
    ).toMatchObject({
      kind: 'failed',
      why: 'restarts 4 rising, which failIf does not wait out',
    });
  });

  it('[T22] measures its trends from the first sample, over breaks of the window', () => {
    const seen: Seen[] = [
      [0, { ...fine, ok: false }],
      [2, fine],
      [4, { ...fine, ok: false }],
      [6, { ...fine, restarts: 4 }],
    ];
    expect(kinds({ failIf }, seen).at(-1)).toBe('failed');
  });

  it('is quiet while nothing of it is true', () => {
    expect(
      kinds(
        { failIf },
        every(TWOS, () => fine),
      ).at(-1),
    ).toBe('met');
  });
});

describe('a gate that is asked once', () => {
  it('is met or failed by its first sample, and waits for one', () => {
    expect(
      kinds({ once: true }, [
        [0, undefined],
        [2, { ok: true }],
      ]),
    ).toEqual(['waiting', 'met']);
    expect(kinds({ once: true }, [[0, { ok: false }]])).toEqual(['failed']);
    expect(kinds({ once: true, until: { ok: { rising: true } } }, [[0, { ok: 1 }]])).toEqual(['failed']);
  });
});

describe('a fence', () => {
  it('is compared with what passed it, so that a change while nobody led is noticed', () => {
    const still = { until: { restarts: { still: true } } };
    expect(kinds(still, [[2, { restarts: 3 }]], { restarts: 3 })).toEqual(['waiting']);
    expect(kinds(still, [[2, { restarts: 4 }]], { restarts: 3 })).toEqual(['broken']);
    expect(kinds(still, [[3_600, { restarts: 4 }]], { restarts: 3 })).toEqual(['broken']);
  });

  it('breaks when samples are missing for longer than it tolerates', () => {
    const seen: Seen[] = [
      [10, undefined],
      [61, undefined],
    ];
    expect(kinds({ tolerateMs: 60_000 }, seen, { ok: true })).toEqual(['waiting', 'broken']);
  });
});
