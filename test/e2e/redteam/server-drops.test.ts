import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workStep } from '../support/work.ts';
import { MESH, World } from '../support/world.ts';
import { DroppingServer } from './dropping-server.ts';

let world: World;
let server: DroppingServer;
const runs = { unheard: '', untold: '', asked: '', aborted: '' };

/** Given up a quarter of a minute after the minute for which its command is good. */
const quick = (id: string) => workStep(id).replace('do: exec.run', 'timeout: 15s\n  do: exec.run');
const TWO = quick('one') + quick('two');
const to = (lane: 'cmd' | 'ctl', run: string) => [
  `sb.${MESH}.${lane}.*.${run}-*`,
  `sb.${MESH}.live.${lane}.*.${run}-*`,
];

beforeAll(async () => {
  world = await World.start({
    before: async (url) => {
      server = await DroppingServer.before(url);
      return server.url;
    },
  });
  const aborted = [...to('cmd', 'aborted'), ...to('ctl', 'aborted')];
  server.drop(...aborted);
  runs.aborted = await world.begin(world.runbook('aborted', TWO));
  await world.event(runs.aborted, 'StepStarted', { step: 'one' });
  expect((await world.signalbox(['abort', runs.aborted, '--undo', '--note', 'not today'])).exitCode).toBe(0);

  const requests = ['approve', 'abort'].map((verb) => `sb.${MESH}.req.${verb}`);
  // What hosts are asked when nothing is heard of them is dropped as well.
  server.drop(
    ...aborted,
    ...to('cmd', 'unheard'),
    `sb.${MESH}.report.*.untold-*`,
    `sb.${MESH}.query.*.settle`,
    ...requests,
  );
  runs.unheard = await world.begin(world.runbook('unheard', TWO));
  runs.untold = await world.begin(world.runbook('untold', TWO));
  const asked = `${quick('one')}- id: agreed\n  approve: { count: 1 }\n${quick('two')}`;
  runs.asked = await world.begin(world.runbook('asked', asked));
});
afterAll(async () => {
  await world.end();
  await server.end();
});

type Name = keyof typeof runs;
const begun = (name: Name) =>
  world
    .marks()
    .flatMap(({ command, what, name: word }) => (what === 'begin' && command.startsWith(name) ? [word] : []));
const typesOf = async (name: Name) =>
  (await world.log(runs[name])).flatMap(({ events }) => events.map(({ type }) => type));
const hasDropped = (lane: string, name: string) =>
  server.dropped.some((subject) => subject.includes(`.${lane}.`) && subject.includes(name));

/** Held at the outcome that nobody knows, with what a person reads then. */
async function held(name: Name): Promise<string> {
  await world.event(runs[name], 'Held', { timeoutMs: 150_000 });
  const { stdout } = await world.signalbox(['status', runs[name]]);
  expect(stdout).toMatch(
    /HELD since[\s\S]*no report of one on a-[12] in its time[\s\S]*Outcome UNKNOWN \[SB-STEP-NO-REPORT\]/,
  );
  return stdout;
}

describe('who owns the NATS server and lets messages disappear', () => {
  it.concurrent('commands: nothing runs or counts as done, and it is asked for again when its hosts have said so', async () => {
    await world.event(runs.unheard, 'HoldLifted', { timeoutMs: 150_000 });
    const { stdout } = await world.signalbox(['status', runs.unheard]);
    expect(stdout).toMatch(/one on a-1 again: withdrawn before it began/);
    expect(hasDropped('cmd', 'unheard')).toBe(true);
    expect(begun('unheard')).toEqual([]);
    const types = await typesOf('unheard');
    expect(types).toContain('Held');
    expect(types).not.toContain('StepSucceeded');
  });

  it.concurrent('reports: what was done once is not done again, nor taken for done, and the run is held', async () => {
    await held('untold');
    expect(hasDropped('report', 'untold')).toBe(true);
    expect(begun('untold')).toEqual(['one', 'one']);
    expect(await typesOf('untold')).not.toContain('StepSucceeded');
  });

  it.concurrent('an approval or an abort: whoever has typed it is told that nobody has answered, and the run waits', async () => {
    await world.event(runs.asked, 'StepStarted', { step: 'agreed' });
    for (const words of [
      ['approve', runs.asked, 'agreed'],
      ['abort', runs.asked, '--undo', '--note', 'over'],
    ]) {
      const typed = await world.signalbox(words);
      expect([typed.exitCode, typed.stderr]).toEqual([4, expect.stringContaining(`asking for ${words[0]}: TIMEOUT`)]);
      expect(server.dropped).toContain(`sb.${MESH}.req.${words[0]}`);
    }
    const { stdout } = await world.signalbox(['status', runs.asked]);
    expect(stdout).toContain('0 of 1 given');
    expect(begun('asked')).toEqual(['one', 'one']);
    const types = await typesOf('asked');
    expect(types.filter((type) => type === 'ApprovalGiven' || type === 'UndoStarted')).toEqual([]);
  });

  it.concurrent('what takes a command back: the run is not taken for undone before its hosts have said so', async () => {
    expect(await held('aborted')).toContain('BEING TAKEN BACK: 0 of 2 undone');
    expect(hasDropped('ctl', 'aborted')).toBe(true);
    expect(begun('aborted')).toEqual([]);
    expect(await typesOf('aborted')).not.toContain('Ended');
  });

  it('and when they come again: each run ends as it was asked to, and nothing runs late or twice', async () => {
    server.drop();
    expect((await world.signalbox(['abort', runs.asked, '--undo', '--note', 'over'])).exitCode).toBe(0);
    const outcomes = Object.entries(runs).map(async ([name, run]) => {
      const { outcome } = await world.event(run, 'Ended', { timeoutMs: 90_000 });
      return [name, outcome];
    });
    expect(Object.fromEntries(await Promise.all(outcomes))).toEqual({
      ...{ unheard: 'completed', untold: 'completed' },
      ...{ asked: 'rolled-back', aborted: 'rolled-back' },
    });
    expect(begun('unheard')).toEqual(['one', 'one', 'two', 'two']);
    expect(begun('untold')).toEqual(['one', 'one', 'two', 'two']);
    expect(begun('asked')).toEqual(['one', 'one', 'undo-one', 'undo-one']);
    expect(begun('aborted')).toEqual([]);
  });
});
