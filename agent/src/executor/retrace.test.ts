import { describe, expect, it } from 'vitest';
import type { EarlierProcess } from '../ports.ts';
import { createRetrace, fingerprint } from './retrace.ts';
import type { Started } from './starter.ts';

const asked = (name: string) => fingerprint([name], {});
const earlier: EarlierProcess[] = [
  { child: 0, asked: asked('a'), monotonicMs: 1, group: { pid: 5, startTicks: '5' } },
  { child: 1, monotonicMs: 2, group: { pid: 6, startTicks: '6' } },
  { child: 2, asked: asked('b'), monotonicMs: 3 },
];
const started: Started = {
  ...{ group: undefined, exit: new Promise(() => {}), out: '', err: '' },
  tree: { askToEnd() {}, kill() {}, isAlive: () => false },
};

describe('an action that goes over its traces', () => {
  it('is given what it had started, in order, without its queries, and then starts anew', () => {
    const retrace = createRetrace(earlier);
    expect(retrace.follow(asked('a'), () => started)).toMatchObject({ child: 0, monotonicMs: 1, started });
    expect(retrace.diverged).toBe(true);
    expect(retrace.follow(asked('b'), () => started)).toMatchObject({ child: 2, monotonicMs: 3 });
    expect(retrace.diverged).toBe(false);
    expect(retrace.follow(asked('c'), () => started)).toBeUndefined();
    expect([retrace.diverged, retrace.firstChild]).toEqual([false, 3]);
  });

  it.each([
    ['wants another program', 'z', started],
    ['wants what perhaps never began', 'a', undefined],
  ])('[I1] that %s starts nothing from then on', (_, name, found) => {
    const retrace = createRetrace(earlier);
    expect(() => retrace.follow(asked(name), () => found)).toThrow('SB-AGENT-INTERRUPTED');
    for (const next of ['a', 'b', 'c']) expect(() => retrace.follow(asked(next), () => started)).toThrow();
    expect(retrace.diverged).toBe(true);
  });

  it('without traces starts everything', () => {
    const retrace = createRetrace(undefined);
    expect(retrace.follow(asked('a'), () => started)).toBeUndefined();
    expect([retrace.diverged, retrace.firstChild]).toEqual([false, 0]);
  });

  it('tells processes apart by all of their argv and by their folder', () => {
    const prints = [
      fingerprint(['a', 'b'], {}),
      fingerprint(['a b'], {}),
      fingerprint(['a', 'b'], { cwd: '/x' }),
      fingerprint(['a', 'b', ''], {}),
    ];
    expect(new Set(prints).size).toBe(4);
  });
});
