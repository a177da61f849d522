import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dial, dialGate } from './support/dial.ts';
import { workStep } from './support/work.ts';
import { World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ operators: { operator: 'operator' } });
});
afterAll(() => world.end());

const POINT = `- id: go
  approve: { count: 1 }
- id: no-way-back
  pointOfNoReturn:
    statement: There is no way back.
    guards: [quiet]
`;

const BEHIND = `- id: behind
  hosts: boxes
  do: exec.run
  with: { argv: [work, behind], effect: irreversible }
`;

interface Entry {
  readonly events: readonly { readonly type: string; readonly host?: string; readonly vote?: string }[];
}

async function eventsOf(run: string): Promise<Entry['events']> {
  const { stdout } = await world.signalbox(['events', run, '--json']);
  return stdout
    .trim()
    .split('\n')
    .flatMap((line) => (JSON.parse(line) as Entry).events);
}

describe('a point of no return on real hosts', () => {
  it('[D4] is not crossed when a guard moves while people decide; it is when every host has voted', async () => {
    const quiet = await dial(0);
    const file = world.runbook('crossed', `${workStep('before')}${dialGate('quiet', quiet)}${POINT}${BEHIND}`);
    const run = await world.begin(file);
    await world.event(run, 'StepStarted', { step: 'go' });
    quiet.set(3);
    await world.signalbox(['approve', run, 'go', '--yes']);
    expect((await world.signalbox(['wait', run, '--for', 'held'])).exitCode).toBe(0);
    const why = await world.signalbox(['status', run, '--why']);
    expect(why.stdout).toContain('SB-GUARD-STALE');
    expect(why.stdout).toContain('REVERSIBLE');
    expect(world.marks().filter(({ command }) => command.includes(':behind:'))).toEqual([]);

    quiet.set(0);
    expect((await world.signalbox(['resume', run])).exitCode).toBe(0);
    expect((await world.signalbox(['wait', run, '--for', 'done'])).exitCode).toBe(0);
    const events = await eventsOf(run);
    const crossedAt = events.findIndex(({ type }) => type === 'Crossed');
    const voters = events.slice(0, crossedAt).flatMap((event) => (event.vote === 'yes' ? event.host : []));
    expect([...new Set(voters)].sort()).toEqual(['a-1', 'a-2']);
  });

  it('[I3] is not undone by an operator who asks for it: that is explained, with what is possible instead', async () => {
    const quiet = await dial(0);
    const steps = `${workStep('before')}${dialGate('quiet', quiet)}${POINT}${BEHIND}- id: last\n  approve: { count: 1 }\n`;
    const run = await world.begin(world.runbook('sealed', steps));
    await world.event(run, 'StepStarted', { step: 'go' });
    expect((await world.signalbox(['approve', run, 'go', '--yes'])).exitCode).toBe(0);
    await world.event(run, 'StepStarted', { step: 'last' });
    expect((await world.signalbox(['status', run])).stdout).toContain('NOT REVERSIBLE since no-way-back');
    for (const how of [['--dry-run'], ['--note', 'second thoughts']]) {
      const refused = await world.signalbox(['abort', run, '--undo', ...how]);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('SB-RUN-SEALED  no-way-back has been crossed; nothing before it is taken back');
      expect(refused.stderr).toContain('signalbox abort RUN --leave');
    }
    expect((await world.signalbox(['approve', run, 'last', '--yes'])).exitCode).toBe(0);
    expect((await world.signalbox(['wait', run, '--for', 'done'])).exitCode).toBe(0);
    expect(world.marks().some(({ command }) => command.startsWith(`${run}:before`) && command.includes(':undo:'))).toBe(
      false,
    );
  });
});
