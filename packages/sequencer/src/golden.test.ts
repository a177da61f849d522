import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogEntry, Plan, RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { evolveEntry, initialState } from './evolve.ts';
import { pending } from './pending.ts';
import type { RunState } from './state.ts';

/**
 * Runs as real coordinators of version 1 wrote them (fixtures/README.md says how). They are never changed: a coordinator of
 * any later version that takes such a run over has to see the same run, and to want the same of the world [D5].
 */
const FOLDER = join(import.meta.dirname, '../fixtures');
const RUNS = readdirSync(FOLDER, { withFileTypes: true })
  .filter((version) => version.isDirectory())
  .flatMap(({ name }) => readdirSync(join(FOLDER, name)).map((run) => join(name, run)));

describe('[D5] golden logs', () => {
  it('have every event in them that this version knows', () => {
    const entries = RUNS.flatMap((run) => read(join(FOLDER, run)).entries);
    const written = new Set(entries.flatMap(({ events }) => events.map(({ type }) => type)));
    expect([...written].sort()).toEqual(RunEvent.options.map(({ shape }) => shape.type.value).sort());
  });

  it.each(RUNS)('%s folds to the same state and wants the same of the world after each entry', (run) => {
    const folder = join(FOLDER, run);
    const { entries, planText } = read(folder);
    const plan = Plan.parse(JSON.parse(planText));
    let state = initialState(entries[0]?.run ?? '', plan);
    const seen = entries.map((entry) => {
      state = evolveEntry(state, entry);
      return JSON.stringify({ index: entry.index, state: sha256(picture(state)), pending: pending(state) });
    });
    seen.push(picture(state));
    expect(`${seen.join('\n')}\n`).toBe(recorded(join(folder, 'folded.jsonl'), seen));
  });

  it.each(RUNS)('%s is whole: each entry names the one before, the first one the plan', (run) => {
    const { entries, lines, planText } = read(join(FOLDER, run));
    entries.forEach((entry, i) => {
      expect(entry).toMatchObject({ index: i, previous: i === 0 ? '' : sha256(lines[i - 1] ?? '') });
    });
    expect(entries[0]?.events[0]).toMatchObject({ type: 'RunCreated', planHash: sha256(planText) });
  });
});

/** A run that was added has no record yet: it is written once, to be looked at and committed. */
function recorded(path: string, seen: readonly string[]): string {
  if (!existsSync(path) && process.env.CI === undefined) writeFileSync(path, `${seen.join('\n')}\n`);
  return readFileSync(path, 'utf8');
}

function read(folder: string) {
  const planText = readFileSync(join(folder, 'plan.json'), 'utf8').trimEnd();
  const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trimEnd().split('\n');
  return { planText, lines, entries: lines.map((line) => LogEntry.parse(JSON.parse(line))) };
}

/** The state as text: without the plan, which stands beside it, and with steps only where something has happened. */
function picture({ plan: _plan, cells, ...state }: RunState): string {
  const begun = [...cells.values()].filter(
    ({ phase, attempts }) => phase !== 'pending' || attempts.do + attempts.undo > 0,
  );
  return JSON.stringify([plainOf(state), begun.map(plainOf)]);
}

function plainOf(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(plainOf);
  if (value instanceof Set) return [...value];
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainOf(inner)]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
