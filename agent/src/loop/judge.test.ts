import { type Action, defineAction } from '@signalbox/actions';
import { type Command, commandId, type JsonObject } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentError } from '../codes.ts';
import type { RecordBody } from '../journal/records.ts';
import { apply, emptyState, type JournalState } from '../journal/state.ts';
import { EVERYTHING } from '../policy/policy.ts';
import { contentOf } from './content.ts';
import { judgeCommand } from './judge.ts';
import type { TimeBound } from './mesh-time.ts';

const NOW = 1_000;
const onTime: TimeBound = { type: 'bounded', latestMs: NOW };

const action: Action = defineAction({
  ...{ name: 'a', version: 1, summary: '', does: '', touches: [], effect: 'reversible' },
  schema: z.strictObject({ unit: z.string().optional() }) as unknown as z.ZodType<JsonObject>,
  check: async () => ({ before: {}, problems: [] }),
  run: async () => ({}),
  undo: async () => ({}),
  probe: async () => 'cannot-tell',
});
const { undo: _, ...oneWay } = { ...action, name: 'one-way' };

function command(change: Partial<Command> = {}): Command {
  const parts = { run: 'r', host: 'h1', step: 's', direction: 'do' as const, attempt: 1, ...change };
  return {
    ...{ mesh: 'lab', epoch: 5, nonce: 'n5', head: { sequence: 1, hash: '' }, journal: 'j', machine: 'm' },
    ...{ sentAtMs: 0, planHash: 'p', notAfterMs: NOW, timeoutMs: 1, action: 'a', version: 1, with: {} },
    ...parts,
    id: change.id ?? commandId(parts),
  };
}

function stateOf(...bodies: RecordBody[]): JournalState {
  const state = emptyState();
  const created: RecordBody = { type: 'created', journal: 'j', mesh: 'lab', host: 'h1', machine: 'm', boot: 'b' };
  for (const [i, body] of [created, ...bodies].entries()) apply(state, { ...body, n: i + 1, atMs: 0 });
  return state;
}

const began = (change: Partial<Command> = {}): RecordBody => {
  const asked = command(change);
  return { type: 'intent', command: asked, content: contentOf(asked), before: {}, boot: 'b' };
};
const ended = (change: Partial<Command> = {}): RecordBody => ({
  ...{ type: 'outcome', commandId: command(change).id, outcome: { status: 'succeeded' } },
  ...{ startedAtMs: 0, durationMs: 0, outputBytes: 0 },
});
const control = (change: Partial<Extract<RecordBody, { type: 'control' }>> = {}): RecordBody => ({
  ...{ type: 'control', control: 'fence', id: 'c', run: 'r', epoch: 5, nonce: 'n5', head: { sequence: 1, hash: '' } },
  ...change,
});
const refusedBefore = (asked: Command): RecordBody => ({
  ...{ type: 'refused', command: asked, content: contentOf(asked) },
  failure: agentError('SB-AGENT-LATE', 'late').failure,
});

const cases: [verdict: string, why: string, JournalState, Command, TimeBound?][] = [
  ['go', 'nothing speaks against it', stateOf(), command()],
  ['go', 'a later attempt', stateOf(began(), ended()), command({ attempt: 2 })],
  ['go', 'an undo without its do: its do may have been lost', stateOf(), command({ direction: 'undo' })],
  ['go', 'a newer epoch', stateOf(control({ epoch: 4, nonce: 'n4' })), command()],
  ['go', 'another run has another leader', stateOf(control({ run: 'other', epoch: 9 })), command()],
  ['go', 'another step was undone', stateOf(began({ step: 't', direction: 'undo' })), command()],
  ['running', 'it runs', stateOf(began()), command()],
  ['running', 'it runs, and the old leader asks again', stateOf(began(), control({ epoch: 9 })), command()],
  ['answer', 'it has ended, and is late', stateOf(began(), ended()), command(), { type: 'bounded', latestMs: 9e9 }],
  ['answer', 'it was refused before', stateOf(refusedBefore(command())), command()],
  [
    'answer',
    'it has ended, and its run is closed',
    stateOf(began(), ended(), control({ control: 'closed' })),
    command(),
  ],
  ['refuse SB-AGENT-ID-CONFLICT', 'it asks for more', stateOf(began()), command({ with: { unit: 'x' } })],
  ['refuse SB-AGENT-ID-CONFLICT', 'it has another plan', stateOf(began(), ended()), command({ planHash: 'q' })],
  ['reject SB-AGENT-ADDRESS', 'another host', stateOf(), command({ host: 'h2' })],
  ['reject SB-AGENT-ADDRESS', 'another mesh', stateOf(), command({ mesh: 'prod' })],
  ['reject SB-AGENT-ID', 'an id of its own making', stateOf(), command({ id: 'mine' })],
  ['refuse SB-AGENT-EPOCH', 'an old leader', stateOf(control({ epoch: 6, nonce: 'n6' })), command()],
  ['refuse SB-AGENT-NONCE', 'a second leader', stateOf(control({ nonce: 'other' })), command()],
  ['refuse SB-AGENT-JOURNAL', 'a reinstalled agent', stateOf(), command({ journal: 'before' })],
  ['refuse SB-AGENT-MACHINE', 'a clone', stateOf(), command({ machine: 'other' })],
  ['refuse SB-AGENT-RUN-CLOSED', 'a closed run', stateOf(control({ control: 'closed' })), command()],
  ['refuse SB-AGENT-VOID', 'withdrawn', stateOf(control({ control: 'void', withdrawn: [command().id] })), command()],
  ['refuse SB-AGENT-VOID', 'attempt 2 came first', stateOf(began({ attempt: 2 })), command()],
  ['refuse SB-AGENT-VOID', 'its undo came first', stateOf(began({ direction: 'undo' })), command()],
  [
    'refuse SB-AGENT-VOID',
    'undone, and then tried once more',
    stateOf(began({ direction: 'undo' })),
    command({ attempt: 3 }),
  ],
  ['refuse SB-AGENT-UNKNOWN-ACTION', 'no such action', stateOf(), command({ action: 'b' })],
  ['refuse SB-AGENT-ACTION-VERSION', 'another version', stateOf(), command({ version: 2 })],
  ['refuse SB-AGENT-NO-UNDO', 'no way back', stateOf(), command({ direction: 'undo', action: 'one-way' })],
  ['refuse SB-AGENT-INPUT', 'a typo', stateOf(), command({ with: { unti: 'x' } })],
  ['refuse SB-AGENT-LATE', 'late by one', stateOf(), command({ notAfterMs: NOW - 1 })],
  ['wait SB-CLOCK', 'no time known', stateOf(), command(), unknown('unknown')],
  ['refuse SB-CLOCK', 'clocks apart', stateOf(), command(), unknown('apart')],
];

function unknown(type: 'unknown' | 'apart'): TimeBound {
  return { type, failure: agentError('SB-CLOCK', type).failure };
}

describe('[I1] [I6] [I7] [D1] [D2] a command is judged', () => {
  it.each(cases)('%s: %s', (expected, _why, state, asked, time = onTime) => {
    const actions = new Map([action, oneWay].map((one) => [one.name, one]));
    const verdict = judgeCommand(state, asked, { time, policy: EVERYTHING, actionByName: (name) => actions.get(name) });
    const code = 'failure' in verdict ? ` ${verdict.failure.code}` : '';
    expect(verdict.type + code).toBe(expected);
  });
});

describe('the content of a command [I1]', () => {
  it('is the same whoever leads and whenever it is sent, and in whatever order its fields come', () => {
    const asked = command({ with: { a: 1, b: { c: 2, d: 3 } } });
    const again = { ...asked, epoch: 9, nonce: 'x', sentAtMs: 7, with: { b: { d: 3, c: 2 }, a: 1 } };
    expect(contentOf(again)).toBe(contentOf(asked));
  });

  it('is another one when anything that is to be done differs', () => {
    const changes: Partial<Command>[] = [
      ...[{ with: { a: 2 } }, { receipt: { r: 1 } }, { action: 'b' }, { version: 2 }],
      ...[{ planHash: 'q' }, { timeoutMs: 2 }, { notAfterMs: 2 }],
    ];
    const all = new Set([command(), ...changes.map(command)].map(contentOf));
    expect(all.size).toBe(changes.length + 1);
  });
});
