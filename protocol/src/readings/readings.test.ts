import { describe, expect, it } from 'vitest';
import {
  compareSignerState,
  count64,
  optionOf,
  parseJson64,
  readSignerState,
  readUnit,
  showUnitArgv,
} from './index.ts';

describe('JSON with 64-bit integers', () => {
  it('rounds no integer, and leaves strings and other numbers alone', () => {
    const text = '{"a":9007199254740993,"b":"9007199254740993, \\"12345678901234567890\\"","c":[-1.5e3,12]}';
    expect(parseJson64(text)).toEqual({
      a: '9007199254740993',
      b: '9007199254740993, "12345678901234567890"',
      c: [-1500, 12],
    });
  });

  it('reads a count from a number or decimal text', () => {
    expect([count64(7), count64('7'), count64('9223372036854775807')]).toEqual([7, 7, '9223372036854775807']);
    expect([count64('7x'), count64(1.5), count64(null), count64('')]).toEqual(Array(4).fill(undefined));
  });
});

describe('signing state', () => {
  it('is ordered by height, round, step, as 64-bit numbers', () => {
    const at = (height: number | string, round = 0, step = 1) => ({ height, round, step });
    expect(compareSignerState(at('9007199254740993'), at('9007199254740992'))).toBeGreaterThan(0);
    expect(compareSignerState(at(9), at('10'))).toBeLessThan(0);
    expect(compareSignerState(at(5, 0, 3), at(5, 1, 1))).toBeLessThan(0);
    expect(compareSignerState(at(5, 1, 3), at(5, 1, 2))).toBeGreaterThan(0);
    expect(compareSignerState(at(5), at('5'))).toBe(0);
  });

  it.each(['', '{', '[]', '{"round":0}', '{"height":"x"}', '{"height":"5","round":"a"}'])('is not in %j', (text) => {
    expect(readSignerState(text)).toBeUndefined();
  });

  it('is read as CometBFT writes it', () => {
    const text = '{"height":"1204","round":0,"step":3,"signature":"x","signbytes":"y"}';
    expect(readSignerState(text)).toEqual({ height: 1204, round: 0, step: 3 });
  });
});

describe('systemctl show', () => {
  it('is asked with the unit behind --', () => {
    expect(showUnitArgv('remesd.service').slice(-2)).toEqual(['--', 'remesd.service']);
  });

  it('is read whatever the order of the lines', () => {
    const reading = readUnit(
      [
        'MainPID=812',
        'NRestarts=2',
        'ExecStart={ path=/usr/local/bin/remesd ; argv[]=/usr/local/bin/remesd start --home "/home/re mes/.remesd" ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }',
        'TasksCurrent=[not set]',
        'Environment=A=1 "B=two words" C=x=y',
        'LoadState=loaded',
        'ActiveState=active',
        'SubState=running',
        'ControlGroup=/system.slice/remesd.service',
      ].join('\n'),
    );
    expect(reading).toMatchObject({
      mainPid: 812,
      restarts: 2,
      tasks: undefined,
      activeState: 'active',
      controlGroup: '/system.slice/remesd.service',
      environment: { A: '1', B: 'two words', C: 'x=y' },
      exec: { path: '/usr/local/bin/remesd' },
    });
    expect(optionOf(reading.exec?.argv ?? [], '--home')).toBe('/home/re mes/.remesd');
  });

  it('says nothing of a program where the unit starts none', () => {
    expect(readUnit('LoadState=not-found\nActiveState=inactive\n')).toMatchObject({ exec: undefined, mainPid: 0 });
  });

  it('takes the last of an option, in both forms', () => {
    expect(optionOf(['x', '--home', '/a', '--home=/b'], '--home')).toBe('/b');
    expect(optionOf(['x', '--homes', '/a'], '--home')).toBeUndefined();
  });
});
