import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../lab/booted.ts';
import { sayTo } from '../../lab/child.ts';
import { PROGRAMS } from '../../lab/programs.ts';

const GOOD = `apiVersion: signalbox/v1
kind: Runbook
metadata:
  name: good
  summary: Nothing wrong
spec:
  hosts:
    boxes: { match: { role: box }, count: { min: 1 } }
  steps:
    - id: stopped
      hosts: boxes
      do: systemd.stop
      with:
        unit: x.service
    - id: go
      approve: { count: 1 }
`;

interface Mistake {
  readonly what: string;
  /** What of the good runbook is written as what. */
  readonly write: readonly [string, string];
  readonly code: string;
  readonly line: number;
  /** What the finding says, and what it says to do. */
  readonly says: string;
  readonly next: string;
}

const MISTAKES: readonly Mistake[] = [
  {
    what: 'a typo in a key',
    write: ['unit: x.service\n', 'unit: x.service\n      timeot: 3m\n'],
    ...{ code: 'SB110', line: 15, says: '`timeot` is no key here.', next: 'Did you mean `timeout`?' },
  },
  {
    what: 'a tab',
    write: ['        unit:', '\tunit:'],
    ...{ code: 'SB102', line: 14, says: 'A tab in the indentation.', next: 'Replace the tab by spaces.' },
  },
  {
    what: 'a duplicate id',
    write: ['id: go', 'id: stopped'],
    ...{ code: 'SB116', line: 15, says: 'the other is in line 10', next: 'Give one of them another id.' },
  },
  {
    what: 'an unknown action',
    write: ['systemd.stop', 'systemd.stpo'],
    ...{ code: 'SB201', line: 12, says: 'There is no action `systemd.stpo`.', next: 'Did you mean `systemd.stop`?' },
  },
  {
    what: 'a wrong type',
    write: ['count: 1 }', 'count: many }'],
    ...{ code: 'SB113', line: 16, says: 'expected a whole number', next: 'Give a value of the form that is named.' },
  },
  {
    what: 'a reference to nothing',
    write: ['x.service', '${steps.nothing.values.x}'],
    ...{ code: 'SB207', line: 14, says: 'There is no step `nothing`.', next: 'Known here: `stopped`, `go`.' },
  },
  {
    what: '`on:` instead of `hosts:`',
    write: ['      hosts: boxes', '      on: boxes'],
    ...{ code: 'SB111', line: 11, says: '`on:` is no key; hosts are named with `hosts:`.', next: 'Write `hosts:`.' },
  },
  {
    what: 'an anchor',
    write: ['boxes: {', 'boxes: &b {'],
    ...{ code: 'SB106', line: 8, says: 'An anchor, `&b`.', next: 'Write it out' },
  },
];

function checkFile(text: string | Uint8Array, ...args: string[]) {
  const file = join(testFolder(), 'runbook.yaml');
  writeFileSync(file, text);
  return sayTo([PROGRAMS.signalbox, 'check', file, ...args]);
}

describe('a runbook with', () => {
  it('nothing wrong passes, so that the rest of this file can fail', async () => {
    expect(await checkFile(GOOD)).toEqual({ exitCode: 0, stdout: 'good: 2 steps, 0 errors\n', stderr: '' });
  });

  it.each(MISTAKES)('$what is refused with $code at its line', async ({ write: [good, bad], ...mistake }) => {
    const text = GOOD.replace(good, bad);
    expect(text).not.toBe(GOOD);
    const { exitCode, stdout, stderr } = await checkFile(text);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    const errors = stderr.split('\n').filter((line) => /\berror SB\d/.test(line));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(new RegExp(`:${mistake.line}:\\d+  error ${mistake.code}  `));
    expect(stderr).toContain(mistake.says);
    expect(stderr).toContain(mistake.next);
  });

  it('10 MB of noise is refused at once, without its bytes on the terminal', async () => {
    const startMs = performance.now();
    const { exitCode, stderr } = await checkFile(randomBytes(10_000_000));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error SB-CLI-FILE /);
    expect(stderr.length).toBeLessThan(1_000);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it('5 MB of noise, which may be read, is one finding', async () => {
    const { exitCode, stdout } = await checkFile(randomBytes(5_000_000), '--json');
    expect(exitCode).toBe(2);
    const { errors, findings } = JSON.parse(stdout);
    expect(errors).toBe(1);
    expect(findings[0].code).toMatch(/^SB\d{3}$/);
  });
});
