import { describe, expect, it } from 'vitest';
import { formatClock, formatDuration, parseDuration } from './duration.ts';
import { commandId, HostName, MeshName, RunId, subjectToken } from './names.ts';

describe('command ids [I1]', () => {
  const parts = { run: 'r-1', step: 'inc/readers[orders.v1]', host: 'h-1', direction: 'do', attempt: 1 } as const;

  it('are the same for the same try and differ in every part', () => {
    expect(commandId(parts)).toBe(commandId({ ...parts }));
    const others = [
      { ...parts, run: 'r-2' },
      { ...parts, step: 'inc/readers[orders.v2]' },
      { ...parts, host: 'h-2' },
      { ...parts, direction: 'undo' as const },
      { ...parts, attempt: 2 },
    ];
    expect(new Set([parts, ...others].map(commandId)).size).toBe(6);
  });

  it.each(['a.b', 'a b', 'a*', 'a>', 'a%', 'ü', '', 'a\nb'])(
    'encode %j as one token that NATS gives no meaning to',
    (text) => {
      expect(subjectToken(text)).not.toMatch(/[.\s*>]/);
    },
  );

  it('encode different texts differently', () => {
    expect(subjectToken('a.b')).not.toBe(subjectToken('a%2Eb'));
  });
});

describe('names of hosts', () => {
  it.each([
    'nоde-1', // Cyrillic о
    'node‑1', // a hyphen that does not break
    'nodе-1', // Cyrillic е
    'ｎode-1', // full width
    'node-1\u200b',
    'node-\u0661',
    'ñode-1',
    'Node-1',
    'xn--nde-1-l0e\u0301',
    'node-1.',
    'node-1\n',
  ])('cannot look like another one: %j is none', (name) => {
    expect(HostName.safeParse(name).success).toBe(false);
    expect(MeshName.safeParse(name).success).toBe(false);
    expect(RunId.safeParse(name).success).toBe(false);
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['45s', 45_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '5 s', '-5s', '1h 30m', 'PT5S'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it.each([
    [250, '250ms'],
    [4_200, '4.2s'],
    [4_000, '4s'],
    [90_000, '1m30s'],
    [600_000, '10m'],
    [3_900_000, '1h5m'],
    [93_600_000, '1d2h'],
  ])('%d ms is said as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('clocks count up', () => {
    expect([formatClock(252_000), formatClock(3_729_000), formatClock(-5)]).toEqual(['4:12', '1:02:09', '0:00']);
  });
});
