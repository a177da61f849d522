import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { judge, type RunRecord } from './checks.ts';
import type { Mark } from './work.ts';

const HOST = 'a-1';
const RUN = 'serial-1';

const tryOf = (step: string, direction: 'do' | 'undo' = 'do', attempt = 1) => ({
  step,
  host: HOST,
  direction,
  attempt,
});
const idOf = (step: string, direction = 'do', attempt = 1) => `${RUN}:${step}:${HOST}:${direction}:${attempt}`;

function started(step: string, direction: 'do' | 'undo' = 'do', attempt = 1): RunEvent {
  const id = idOf(step, direction, attempt);
  const work = { kind: 'command', id, action: 'exec.run', version: 1, with: {}, notAfterMs: 0, timeoutMs: 0 } as const;
  return { type: 'StepStarted', ...tryOf(step, direction, attempt), work };
}

const succeeded = (
  step: string,
  direction: 'do' | 'undo' = 'do',
  via: 'report' | 'probe' | 'operator' = 'report',
): RunEvent => ({
  type: 'StepSucceeded',
  ...tryOf(step, direction),
  via,
});
const ended = (outcome: 'completed' | 'rolled-back'): RunEvent => ({ type: 'Ended', outcome, leftovers: [] });
const crossed: RunEvent = {
  type: 'Crossed',
  step: 'no-way-back',
  round: 1,
  roundNonce: 'n.1',
  votes: [],
  evidence: [],
};

const marks = (step: string, verb: Mark['verb'] = 'do', attempt = 1): Mark[] =>
  (['begin', 'end'] as const).map((what) => ({
    what,
    verb,
    command: idOf(step, verb === 'undo' ? 'undo' : 'do', attempt),
  }));

function record(events: RunEvent[], given: Partial<Omit<RunRecord, 'entries'>>): RunRecord {
  const entry: LogEntry = { v: 1, run: RUN, index: 0, epoch: 1, previous: '', atMs: 0, runMs: 0, events };
  return {
    run: RUN,
    entries: [entry],
    marks: [],
    done: [],
    actions: [{ step: 'one', host: HOST }],
    promised: [],
    ...given,
  };
}

const laws = (given: RunRecord) => judge(given).map(({ law }) => law);
const here = [{ step: 'one', host: HOST }];

describe('a run is compared with what the hosts saw', () => {
  it('and is all right when both say the same', () => {
    const events = [started('one'), succeeded('one'), ended('completed')];
    expect(judge(record(events, { marks: marks('one'), done: here }))).toEqual([]);
  });

  it('[I1] a command that began twice', () => {
    const events = [started('one'), succeeded('one'), ended('completed')];
    expect(laws(record(events, { marks: [...marks('one'), ...marks('one')], done: here }))).toEqual(['twice']);
  });

  it('[I5] what was done, done once more under another id', () => {
    const reset: RunEvent = { type: 'StepReset', ...tryOf('one'), reason: 'not done, it was said' };
    const second: RunEvent = { type: 'StepSucceeded', ...tryOf('one', 'do', 2), via: 'report' };
    const events = [started('one'), reset, started('one', 'do', 2), second, ended('completed')];
    const again: Mark = { what: 'again', verb: 'do', command: idOf('one', 'do', 2) };
    expect(laws(record(events, { marks: [...marks('one'), ...marks('one', 'do', 2), again], done: here }))).toEqual([
      'twice',
      'lost',
    ]);
  });

  it('[I8] an execution that the log has no decision for', () => {
    expect(laws(record([ended('rolled-back')], { marks: marks('one').slice(0, 1) }))).toEqual(['unlogged']);
  });

  it.each([
    ['nobody heard of it', []],
    ['a person had to say it', [succeeded('one', 'do', 'operator')]],
  ])('an outcome is lost when %s', (_, settled) => {
    const events = [started('one'), ...settled, ended('completed')];
    expect(laws(record(events, { marks: marks('one'), done: here }))).toEqual(['lost']);
  });

  it('a failure is no loss, nor is that it is tried again', () => {
    const failure = { code: 'SB-ACT-COMMAND-FAILED', class: 'terminal', message: 'm', next: 'n' } as const;
    const failed: RunEvent = { type: 'StepFailed', ...tryOf('one'), failure };
    expect(judge(record([started('one'), failed, ended('rolled-back')], { marks: marks('one', 'fail') }))).toEqual([]);
  });

  it('[I11] a success that no process stands for', () => {
    const events = [started('one'), succeeded('one', 'do', 'probe'), ended('completed')];
    expect(laws(record(events, { marks: marks('one').slice(0, 1) }))).toEqual(['unfounded', 'left-over']);
  });

  it('[I4] a run that says it took everything back, and did not', () => {
    const events = [started('one'), succeeded('one'), ended('rolled-back')];
    expect(laws(record(events, { marks: marks('one'), done: here }))).toEqual(['left-over']);
  });

  it('[I3] an undo after the point of no return', () => {
    const events = [
      started('one'),
      succeeded('one'),
      crossed,
      started('one', 'undo'),
      succeeded('one', 'undo'),
      ended('rolled-back'),
    ];
    expect(laws(record(events, { marks: [...marks('one'), ...marks('one', 'undo')] }))).toEqual(['sealed']);
  });

  it('[I8] a note that was answered with yes and is not there', () => {
    const noted: RunEvent = { type: 'NoteAdded', by: { name: 'operator', key: 'k' }, text: 'seen, 4' };
    const events = [noted, started('one'), succeeded('one'), ended('completed')];
    const given = { marks: marks('one'), done: here, promised: ['seen, 4', 'seen, 8'] };
    expect(judge(record(events, given))).toEqual([{ law: 'promise', what: 'serial-1: seen, 8' }]);
  });

  it('a run that never came to an end', () => {
    expect(laws(record([], {}))).toEqual(['not-ended']);
  });
});
