import { describe, expect, it } from 'vitest';
import { choiceOf, commandsOn, personsCommandsOn, waitsForHost } from './held.ts';

const SCREEN = `serial-1   chaos   HELD 12s
WHY   2 two on a-1: run work do
OR DECIDE (every one is logged with your name; --note required)
  look by hand      signalbox logs serial-1 two --host a-1
                    what it printed
  it is done        signalbox resolve serial-1 two --host a-1 --as succeeded --note ...
                    a-1 is not asked; what comes next still has to hold
  it is not done    signalbox resolve serial-1 two --host a-1 --as not-done --note ...
  try it again      signalbox retry serial-1 two --host a-1 --note ...
  leave it          signalbox abort serial-1 --leave --note ...
`;

describe('what somebody types who has read the screen of a held run', () => {
  const commands = commandsOn(SCREEN);
  const typed = (applied: boolean, some = commands) => choiceOf(some, () => applied, [])?.join(' ');

  it('is what the host shows', () => {
    expect(typed(true)).toBe('resolve serial-1 two --host a-1 --as succeeded');
    expect(typed(false)).toBe('resolve serial-1 two --host a-1 --as not-done');
  });

  it('is to try again where nothing has to be said, and never to leave things as they are', () => {
    const failed = commands.filter(([verb]) => verb !== 'resolve');
    expect(typed(false, failed)).toBe('retry serial-1 two --host a-1');
    expect(
      typed(
        false,
        failed.filter(([verb]) => verb !== 'retry'),
      ),
    ).toBeUndefined();
  });

  it('is nothing when the screen says that it resolves itself', () => {
    expect(waitsForHost(SCREEN)).toBe(false);
    expect(waitsForHost(`${SCREEN}\nWHEN a-1 IS BACK ... and the run goes on. No command needed.`)).toBe(true);
  });

  it.each([
    'WHEN a-1 IS BACK the probe',
    'WHEN a-1 and a-2 ARE BACK the probe',
    'a-1 IS BACK: what it says by 02:31:02',
  ])('is nothing about a host of which it says that it decides by itself: %s', (line) => {
    const some = personsCommandsOn(`${SCREEN}\n${line} decides by itself what became of its step.`);
    expect(some.map(([verb]) => verb)).toEqual(['abort']);
  });
});
