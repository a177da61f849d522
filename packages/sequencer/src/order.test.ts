import { describe, expect, it } from 'vitest';
import { action, approval, forEach, gate, manual, parallel, plan, record, serial, TestRun } from './testing/index.ts';

describe('the way forward', () => {
  it('[I2] starts a step on all its hosts, and the next one only when all of them have succeeded', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')]));
    expect(run.commands).toEqual(['a@h1 do 1', 'a@h2 do 1']);
    run.done('a', 'h2');
    expect(run.commands).toEqual(['a@h1 do 1']);
    run.done('a', 'h1');
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.done('b', 'h1');
    expect(run.status).toBe('completed');
  });

  it('passes every kind of step in its turn', () => {
    const run = TestRun.start(
      plan([record('r', 'h1'), gate('g', 'h1'), approval('p'), manual('m'), action('a', 'h1')]),
    );
    run.recorded('r', 'h1', { height: 7 });
    run.met('g', 'h1');
    run.approve('p');
    expect(run.effects('page')).toMatchObject([{ why: 'manual-wanted', message: 'please m' }]);
    run.confirm('m');
    run.done('a', 'h1');
    expect(run.status).toBe('completed');
    expect(run.effects('closed')).toEqual([{ type: 'closed', hosts: ['h1'], outcome: 'completed' }]);
  });

  it('starts nothing before the run is created', () => {
    const run = new TestRun(plan([action('a', 'h1')]));
    expect(run.pass(1_000)).toEqual([]);
    expect(run.commands).toEqual([]);
  });

  it('is completed at once when there is nothing to do', () => {
    const run = new TestRun(plan([action('a', 'h1', { skip: 'when: false' }), action('u', 'h1', { only: 'undo' })]));
    run.send({ type: 'create', by: { name: 'ayse', key: 'K' }, planHash: 'h' });
    expect(run.status).toBe('completed');
  });

  it('goes through a serial group in order and through a parallel one at once', () => {
    const run = TestRun.start(
      plan([
        parallel('both', [
          serial('left', [action('l1', 'h1'), action('l2', 'h1')]),
          serial('right', [action('r1', 'h2'), action('r2', 'h2')]),
        ]),
        action('after', 'h1'),
      ]),
    );
    expect(run.commands).toEqual(['l1@h1 do 1', 'r1@h2 do 1']);
    run.done('l1', 'h1');
    run.done('l2', 'h1');
    expect(run.commands).toEqual(['r1@h2 do 1']);
    run.done('r1', 'h2');
    run.done('r2', 'h2');
    expect(run.commands).toEqual(['after@h1 do 1']);
  });

  it('keeps the limit of a parallel forEach, counting what has begun and is not over', () => {
    const make = (id: string) => [action(`${id}/a`, 'h1'), action(`${id}/b`, 'h1')];
    const run = TestRun.start(plan([forEach('each', ['x', 'y', 'z'], { make, limit: 2 })]));
    expect(run.commands).toEqual(['each[x]/a@h1 do 1', 'each[y]/a@h1 do 1']);
    run.done('each[x]/a', 'h1');
    expect(run.commands).toEqual(['each[x]/b@h1 do 1', 'each[y]/a@h1 do 1']);
    run.done('each[x]/b', 'h1');
    expect(run.commands).toEqual(['each[y]/a@h1 do 1', 'each[z]/a@h1 do 1']);
  });

  it('goes through a forEach in list order and takes it back in reverse', () => {
    const run = TestRun.start(plan([forEach('each', ['x', 'y'], { make: (id) => [action(id, 'h1')] })]));
    expect(run.commands).toEqual(['each[x]@h1 do 1']);
    run.done('each[x]', 'h1');
    run.failed('each[y]', 'h1');
    expect(run.commands).toEqual(['each[y]@h1 undo 1']);
    run.done('each[y]', 'h1');
    expect(run.commands).toEqual(['each[x]@h1 undo 1']);
  });

  it('waits at a group until its time on the wall clock, and is not stuck meanwhile', () => {
    const run = TestRun.start(
      plan([action('a', 'h1'), serial('window', [action('b', 'h1')], { timing: { notBeforeMs: 1_060_000 } })]),
    );
    run.done('a', 'h1');
    expect(run.status).toBe('running');
    expect(run.effects('timer')).toContainEqual({ type: 'timer', atMs: 1_060_000 });
    run.pass(59_999);
    expect(run.commands).toEqual([]);
    run.pass(1);
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('gives a command its id, its inputs with references filled in, and its time to live', () => {
    const receipt = { $step: 'a', host: 'h1', from: 'receipt', path: ['replicas'] };
    const values = { $step: 'r', host: 'h1', from: 'values', path: ['height'] };
    const input = { count: receipt, nested: [{ text: { $join: ['run ', { $run: 'id' }, ' at ', values] } }] };
    const run = TestRun.start(plan([record('r', 'h1'), action('a', 'h1'), action('b', 'h1', { with: input })]));
    run.recorded('r', 'h1', { height: 7 });
    run.accepted('a', 'h1', { replicas: 3 });
    run.done('a', 'h1');
    expect(run.effects('command')[0]?.work).toMatchObject({
      id: 'book-1:b:h1:do:1',
      with: { count: 3, nested: [{ text: 'run book-1 at 7' }] },
      notAfterMs: 1_060_000,
    });
  });

  it('fails a step whose reference has no value, before anything is sent, and takes the run back', () => {
    const missing = { $step: 'a', host: 'h1', from: 'receipt', path: ['nothing'] };
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1', { with: { x: missing } })]));
    run.done('a', 'h1');
    expect(run.state.undoReason?.code).toBe('SB-REFERENCE');
    expect(run.commands).toEqual(['a@h1 undo 1']);
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });
});
