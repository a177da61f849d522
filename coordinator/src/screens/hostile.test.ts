import { evolveEntry, initialState } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { outputLines } from '../cli/output.ts';
import { hostsScreen } from './hosts.ts';
import { type RunInput, runModel } from './model.ts';
import { reportScreen } from './report.ts';
import { reportOf } from './report-model.ts';
import { cutoverPlan } from './testing/cutover.ts';
import { gateHeldInput, silentInput, undoingInput, waitingInput } from './testing/scenes.ts';
import { watchScreen } from './watch.ts';
import { whyScreen } from './why.ts';

/** Clears the screen, turns the title, rings, turns the direction of writing: 7 and 8 bit, as terminals understand both. */
const POISON = '\u001b[2J\u001b]0;x\u0007\u009b1A\r\u202e';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const STEERS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

/** Texts that hosts, probes and people write, as they stand in logs, plans, samples and beats. */
const WRITTEN = new Set([
  'message',
  'next',
  'text',
  'note',
  'statement',
  'does',
  'undoes',
  'leaves',
  'what',
  'summary',
  'stage',
  'version',
  'role',
]);

function poisoned<T>(value: T, key = ''): T {
  if (typeof value === 'string') return (WRITTEN.has(key) ? `${value}${POISON}` : value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => poisoned(inner, key)) as T;
  const isPerson = 'name' in value && 'key' in value && !('labels' in value);
  const entries = Object.entries(value).map(([k, v]) => [k, poisoned(v, isPerson && k === 'name' ? 'text' : k)]);
  return Object.fromEntries(entries);
}

/** A run of which every text that somebody wrote is poisoned: in the plan, the log, the samples and the hosts. */
function poisonedRun({ entries, live, hosts, nowMs, hostsAtMs }: RunInput): RunInput {
  const log = poisoned(entries);
  const state = log.reduce(evolveEntry, initialState('mongodb-cutover-3', poisoned(cutoverPlan)));
  return { state, entries: log, live: poisoned(live), hosts: poisoned(hosts), nowMs, hostsAtMs, timeZone: 'UTC' };
}

function linesOf(input: RunInput): string[] {
  const report = reportOf(input.state, input.entries, input.nowMs);
  return [
    ...watchScreen(runModel(input), { log: 50 }),
    ...whyScreen(input),
    ...(['text', 'md'] as const).flatMap((format) => reportScreen(report, { format, timeZone: 'UTC' })),
    ...hostsScreen('prod', { hosts: [...input.hosts], nowMs: input.nowMs, problems: [] }),
  ];
}

describe('what hosts and people write', () => {
  it.each([
    ['a gate that waits', () => waitingInput([12, 11])],
    ['a silent host', silentInput],
    ['a held gate', gateHeldInput],
    ['the way back', undoingInput],
  ])('cannot steer the terminal of who looks at %s', (_what, input) => {
    const lines = linesOf(poisonedRun(input()));
    expect(lines.filter((line) => line.includes('\\x1b[2J')).length).toBeGreaterThan(3);
    expect(lines.filter((line) => STEERS.test(line))).toEqual([]);
  });

  it('cannot steer it in the output of a step either', () => {
    const chunk = { sequence: 1, step: 's', host: 'h1', atMs: 0, text: `a${POISON}\nb\n` };
    const lines = outputLines([chunk], { labels: false });
    expect(lines.join('\n')).toContain('\\x1b[2J');
    expect(lines.filter((line) => STEERS.test(line))).toEqual([]);
  });
});
