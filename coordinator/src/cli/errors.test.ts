import { describe, expect, it } from 'vitest';
import { CLI_CODES, cliError } from './codes.ts';
import { exitCodeOf, failureOf, renderFailure } from './errors.ts';
import { makePaint } from './paint.ts';

const failure = (code: string) => ({ code, class: 'terminal', message: 'm', next: 'n' }) as const;

describe('errors', () => {
  it.each([
    ['SB-BUS-UNREACHABLE', 4],
    ['SB-BUS-NO-COORDINATOR', 4],
    ['SB-BUS-TIMEOUT', 4],
    ['SB-BUS-AUTH', 4],
    ['SB-CLI-REPLY', 4],
    ['SB-CLI-USAGE', 2],
    ['SB-CFG-KEY', 2],
    ['SB301', 2],
    ['SB-COORD-DRIFT', 2],
    ['SB-COORD-HOST', 2],
    ['SB-RUN-STATE', 1],
    ['SB-APPROVE-REFUSED', 1],
    ['SB-COORD-ROLE', 1],
  ])('%s ends with %i', (code, exit) => {
    expect(exitCodeOf(failure(code))).toBe(exit);
  });

  it('has one form: code, what happened, what to do, and nothing that steers the terminal', () => {
    const said = { ...failure('SB-X'), message: 'no \u001b[2J host', next: 'look' };
    expect(renderFailure(said, makePaint(false))).toEqual(['error SB-X  no \\x1b[2J host', '      look']);
  });

  it('names a mistake of its own as one', () => {
    expect(failureOf(new TypeError('x is undefined'))).toMatchObject({
      code: 'SB-CLI-INTERNAL',
      message: 'x is undefined',
    });
  });

  it.each(Object.entries(CLI_CODES))('%s says what it means and what to do', (code, { means, next }) => {
    expect(code).toMatch(/^SB-CLI-[A-Z-]+$/);
    expect(means).toMatch(/[.:]$|\.$/);
    expect(next.length).toBeGreaterThan(10);
    expect(cliError('SB-CLI-USAGE', 'x').failure.next).toBe(CLI_CODES['SB-CLI-USAGE'].next);
  });
});
