import type { ExclusiveGuard } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { action, gate, plan, TestRun } from './testing/index.ts';

const key = (direction: 'do' | 'undo', hosts: string[]): ExclusiveGuard => ({
  resource: 'validator-key',
  direction,
  probe: 'unit',
  with: { unit: 'remesd', run: { $run: 'id' } },
  hosts,
  until: { active: { equals: false } },
});

describe('[I10] an exclusive resource', () => {
  const start = () => TestRun.start(plan([action('up', 'new', { exclusive: [key('do', ['old', 'spare'])] })]));

  it('is proven stopped on every other host before the command goes out', () => {
    const run = start();
    expect(run.phase('up', 'new')).toBe('gated');
    expect(run.commands).toEqual([]);
    expect(run.effects('watch')).toMatchObject([
      { use: 'proof', step: 'up', waiting: 'new', host: 'old', with: { unit: 'remesd', run: 'book-1' } },
      { use: 'proof', step: 'up', waiting: 'new', host: 'spare' },
    ]);
    run.proven('up', 'new');
    expect(run.commands).toEqual(['up@new do 1']);
    expect(run.watches).toEqual([]);
  });

  it('needs no proof where nobody else could have it', () => {
    const run = TestRun.start(plan([action('up', 'new', { exclusive: [key('do', [])] })]));
    expect(run.commands).toEqual(['up@new do 1']);
  });

  it('is held when it cannot be proven; nothing was done, so resume asks again', () => {
    const run = start();
    run.pass(60_000);
    expect(run.state.reasons[0]?.failure.code).toBe('SB-EXCLUSIVE-NOT-PROVEN');
    run.resume();
    expect(run.watches).toEqual(['up@new#proof2.0', 'up@new#proof2.1']);
    run.proven('up', 'new');
    expect(run.commands).toEqual(['up@new do 2']);
  });

  it('is not started on a proof that answers an earlier question, or comes while the run is held or paused', () => {
    const run = start();
    run.pause();
    expect(run.proven('up', 'new')).toEqual([]);
    run.resume();
    expect(run.send({ type: 'proven', step: 'up', host: 'new', watch: 'up@new#proof1.0' })).toEqual([]);
    expect(run.send({ type: 'proven', step: 'up', host: 'new', watch: 'up@new#proof2.0' })).toEqual(['StepStarted']);
  });

  it('[I2] is not started on a proof when a fence in front of it has broken', () => {
    const run = TestRun.start(
      plan([gate('f', 'new', { holdUntil: 'up' }), action('up', 'new', { exclusive: [key('do', ['old'])] })]),
    );
    run.met('f', 'new');
    expect(run.watches).toEqual(['f@new#fence1', 'up@new#proof1.0']);
    run.broke('f', 'new');
    run.resume();
    expect(run.watches).toEqual(['f@new#2']);
    expect(run.proven('up', 'new')).toEqual([]);
    run.met('f', 'new');
    expect(run.watches).toEqual(['f@new#fence2', 'up@new#proof2.0']);
  });

  it('is proven again for every attempt', () => {
    const run = start();
    run.proven('up', 'new');
    run.probed('up', 'new', 'not-applied');
    run.pass(60_000);
    expect(run.commands).toEqual([]);
    expect(run.watches).toEqual(['up@new#proof2.0', 'up@new#proof2.1']);
  });

  it('is proven stopped also when it comes up on the way back: by undo, or by a step `only: undo`', () => {
    const steps = [
      action('down', 'old', { exclusive: [key('undo', ['new'])] }),
      action('again', 'old', { only: 'undo', exclusive: [key('do', ['new'])] }),
      action('up', 'new', { exclusive: [key('do', ['old'])] }),
    ];
    const run = TestRun.start(plan(steps));
    run.done('down', 'old');
    run.proven('up', 'new');
    run.failed('up', 'new');
    run.done('up', 'new');
    expect(run.watches).toEqual(['again@old#proof1u.0']);
    run.proven('again', 'old');
    expect(run.commands).toEqual(['again@old do 1']);
    run.done('again', 'old');
    expect(run.watches).toEqual(['down@old#proof1u.0']);
    run.proven('down', 'old');
    expect(run.commands).toEqual(['down@old undo 1']);
  });

  it('is satisfied by nobody`s word: no skip, no declaring done; that it was not done may be said', () => {
    const run = start();
    expect(() => run.skip('up')).toThrow('SB-RUN-GUARDED');
    expect(() => run.drop('new')).toThrow('SB-RUN-GUARDED');
    run.proven('up', 'new');
    run.silent('new');
    expect(() => run.resolve('up', 'succeeded')).toThrow('SB-RUN-GUARDED');
    run.resolve('up', 'not-done');
    expect(run.watches).toHaveLength(2);
  });

  it('gives the command its whole time from the proof on', () => {
    const run = start();
    run.pass(59_000);
    run.proven('up', 'new');
    run.accepted('up', 'new');
    run.pass(60_000 + 60_000 + 4_999);
    expect(run.phase('up', 'new')).toBe('dispatched');
    expect(run.cell('up', 'new').startedRunMs).toBe(0);
  });
});
