import { describe, expect, it } from 'vitest';
import { conditionOf, durationOf, pairsOf, withOf } from './arguments.ts';

describe('arguments', () => {
  it('reads a condition, several comparisons of one value together', () => {
    const said = ['lagSeconds.atMost=5', 'lagSeconds.atLeast=1', 'details.state.in=a,b', 'height.rising=true'];
    expect(conditionOf(said, '--until')).toEqual({
      lagSeconds: { atMost: 5, atLeast: 1 },
      'details.state': { in: ['a', 'b'] },
      height: { rising: true },
    });
  });

  it.each(['lagSeconds=0', 'lagSeconds.below=0', '.atMost=0', 'lagSeconds.atMost'])(
    'refuses the condition %s',
    (text) => {
      expect(() => conditionOf([text], '--until')).toThrow(/SB-CLI-USAGE/);
    },
  );

  it('keeps whole numbers that a double would round', () => {
    expect(withOf(['height=9007199254740993', 'timeout=5', 'unit=a.service', 'deep=true'])).toEqual({
      height: '9007199254740993',
      timeout: 5,
      unit: 'a.service',
      deep: true,
    });
  });

  it('splits at the first = only', () => {
    expect(pairsOf(['uri=mongodb://h/?a=b', 'x='], '-p')).toEqual({ uri: 'mongodb://h/?a=b', x: '' });
    expect(() => pairsOf(['=x'], '-p')).toThrow(/SB-CLI-USAGE/);
  });

  it('refuses what is no duration', () => {
    expect(durationOf('1h30m', '--timeout')).toBe(5_400_000);
    expect(() => durationOf('soon', '--timeout')).toThrow(/SB-CLI-USAGE/);
  });
});
