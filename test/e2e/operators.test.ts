import { writeFileSync } from 'node:fs';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dial, dialGate } from './support/dial.ts';
import { workStep } from './support/work.ts';
import { World } from './support/world.ts';

/** One mesh for all of them: no test here breaks it, and each has a run of its own. */
let world: World;
beforeAll(async () => {
  world = await World.start({
    operators: { operator: 'operator', mehmet: 'approver', fatma: 'approver', guest: 'viewer' },
  });
});
afterAll(() => world.end());

describe('a run from beginning to end', () => {
  it('is planned, started from the plan, followed, and ends with 0', async () => {
    const file = world.runbook('plain', workStep('first') + workStep('second'));
    const checked = await world.signalbox(['check', file]);
    expect(checked).toMatchObject({ exitCode: 0, stdout: 'plain: 2 steps, 0 errors\n' });

    const plan = world.file('plain.plan');
    const planned = await world.signalbox(['plan', file, '--out', plan]);
    expect(planned.exitCode).toBe(0);
    expect(planned.stdout).toContain('PLAN plain   mesh e2e');

    const { stdout, exitCode } = await world.signalbox(['start', plan, '--yes']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('plain-1');
    const marks = world.marks().filter(({ what }) => what === 'begin');
    expect(marks.map(({ command }) => command).sort()).toEqual([
      'plain-1:first:a-1:do:1',
      'plain-1:first:a-2:do:1',
      'plain-1:second:a-1:do:1',
      'plain-1:second:a-2:do:1',
    ]);
  });

  it('shows its output, its events as JSON, and a report for the ticket', async () => {
    const run = await world.begin(world.runbook('told', workStep('spoken')));
    expect((await world.signalbox(['wait', run, '--for', 'done'])).exitCode).toBe(0);

    const logs = await until('the output to be there', async () => {
      const said = await world.signalbox(['logs', run, 'spoken', '--host', 'a-1']);
      return said.stdout !== '' && said;
    });
    expect(logs).toMatchObject({ exitCode: 0, stdout: 'spoken was here\n' });

    const events = await world.signalbox(['events', run, '--json']);
    const types = events.stdout
      .trim()
      .split('\n')
      .flatMap((line) => JSON.parse(line).events.map((e: { type: string }) => e.type));
    expect(types[0]).toBe('RunCreated');
    expect(types.at(-1)).toBe('RunClosed');

    const report = await world.signalbox(['report', run, '--format', 'md']);
    expect(report.exitCode).toBe(0);
    expect(report.stdout).toContain(`# ${run}: completed`);
    expect(report.stdout).toContain('| spoken |');
  });

  it('is refused when the world has drifted from the plan, and says so with 2', async () => {
    const target = world.file('drifting.conf');
    writeFileSync(target, 'old\n');
    const file = world.runbook(
      'drifting',
      `- id: kept\n  hosts: first\n  do: file.backup\n  with: { path: ${target} }\n`,
    );
    const plan = world.file('drifting.plan');
    expect(await world.signalbox(['plan', file, '--out', plan])).toMatchObject({ exitCode: 0 });
    writeFileSync(target, 'another\n');

    const refused = await world.signalbox(['start', plan, '--yes']);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('SB-COORD-DRIFT');
    expect(refused.stderr).toContain('kept on a-1');
    expect((await world.operator.ask('runs', {})).runs.some(({ runbook }) => runbook === 'drifting')).toBe(false);

    const accepted = await world.signalbox(['start', plan, '--yes', '--accept-drift', '--note', 'edited on purpose']);
    expect(accepted.exitCode).toBe(0);
  });

  it('[I4] takes everything back when a step fails, and ends with 1', async () => {
    const failing = `- id: broken\n  hosts: first\n  do: exec.run\n  with: { argv: ["false"], effect: read }\n`;
    const { exitCode } = await world.signalbox([
      'start',
      world.runbook('failing', workStep('done') + failing),
      '--yes',
    ]);
    expect(exitCode).toBe(1);
    const undone = world.marks().filter(({ name, what }) => name === 'undo-done' && what === 'begin');
    expect(undone.map(({ command }) => command).sort()).toEqual([
      'failing-1:done:a-1:undo:1',
      'failing-1:done:a-2:undo:1',
    ]);
  });
});

describe('an undo that fails', () => {
  it('[I4] lets the other hosts go on; the run is held and names what is left, with what to do by hand', async () => {
    const placed = `- id: placed
  hosts: boxes
  do: exec.run
  with:
    argv: [work, placed]
    effect: reversible
    undo: { argv: [test, -e, "${world.file('may-')}\${host.labels.name}"] }
`;
    const failing = `- id: broken\n  hosts: first\n  do: exec.run\n  with: { argv: ["false"], effect: read }\n`;
    world.release('may-a-2');
    const file = world.runbook('stuck', placed + failing);
    expect((await world.signalbox(['start', file, '--yes'])).exitCode).toBe(3);
    const undone = await world.event('stuck-1', 'StepSucceeded', { step: 'placed', direction: 'undo' });
    expect(undone.host).toBe('a-2');

    const { stdout } = await world.signalbox(['status', 'stuck-1']);
    expect(stdout).toContain('BEING TAKEN BACK: 1 of 2 undone');
    expect(stdout).toContain(`LEFT  placed on a-1, by hand: run test -e ${world.file('may-a-1')}`);
    expect(stdout).not.toContain('placed on a-2, by hand');
    const told = 'resolve stuck-1 placed --host a-1 --as succeeded --note';
    expect(stdout).toContain(`signalbox ${told} ...`);
    expect((await world.signalbox([...told.split(' '), 'done by hand'])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', 'stuck-1', '--for', 'done'])).toMatchObject({ exitCode: 1 });
    expect((await world.signalbox(['events', 'stuck-1'])).stdout).toContain('done by hand');
  });
});

describe('approvals', () => {
  const go = (rule: string) => `- id: go\n  approve: ${rule}\n`;

  it('let the run go on, with the name of who said yes', async () => {
    const run = await world.begin(world.runbook('approved', go('{ count: 1 }') + workStep('after')));
    await world.event(run, 'StepStarted', { step: 'go' });
    const approved = await world.signalbox(['approve', run, 'go', '--note', 'looks good']);
    expect(approved).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done', '--timeout', '20s'])).toMatchObject({ exitCode: 0 });
    expect((await world.signalbox(['report', run])).stdout).toContain('operator');
  });

  it('are not given by who started the run, where that is asked for, nor by a viewer', async () => {
    const run = await world.begin(world.runbook('four-eyes', go('{ count: 1, notSubmitter: true }')));
    await world.event(run, 'StepStarted', { step: 'go' });
    const own = await world.signalbox(['approve', run, 'go']);
    expect(own).toMatchObject({ exitCode: 1 });
    expect(own.stderr).toContain('SB-APPROVE-REFUSED');
    const guest = await world.signalbox(['approve', run, 'go'], { as: 'guest' });
    expect(guest).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('SB-COORD-ROLE') });

    expect(await world.signalbox(['approve', run, 'go'], { as: 'mehmet' })).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
  });

  it('are of two approvers where two are asked for: not of one twice, and not of whoever started it', async () => {
    const rule = '{ count: 2, role: approver, notSubmitter: true }';
    const run = await world.begin(world.runbook('two-of-them', go(rule) + workStep('behind')));
    await world.event(run, 'StepStarted', { step: 'go' });
    const refused = { exitCode: 1, stderr: expect.stringContaining('SB-APPROVE-REFUSED') };
    const approve = (as: string) => world.signalbox(['approve', run, 'go'], { as });
    expect(await approve('operator')).toMatchObject(refused);
    expect(await approve('mehmet')).toMatchObject({ exitCode: 0 });
    expect(await approve('mehmet')).toMatchObject(refused);
    expect((await world.signalbox(['status', run])).stdout).toContain('1 of 2');
    expect(world.marks().filter(({ command }) => command.includes(':behind:'))).toEqual([]);
    expect(await approve('fatma')).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
    const { stdout } = await world.signalbox(['report', run]);
    for (const name of ['mehmet', 'fatma']) expect(stdout).toContain(name);
  });

  it('hold the run when they are rejected, and ask everybody again after resume', async () => {
    const run = await world.begin(world.runbook('rejected', go('{ count: 1 }')));
    await world.event(run, 'StepStarted', { step: 'go' });
    expect(await world.signalbox(['reject', run, 'go', '--note', 'no backup'])).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 3 });
    expect((await world.signalbox(['status', run])).stdout).toContain('no backup');
    expect((await world.signalbox(['resume', run])).exitCode).toBe(0);
    expect((await world.signalbox(['approve', run, 'go'])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
  });
});

describe('decisions in the middle of a run', () => {
  it('pause lets what runs finish and starts nothing more, until resume', async () => {
    const steps = workStep('long', { role: 'first', until: 'paused-go' }) + workStep('later');
    const run = await world.begin(world.runbook('paused', steps));
    await world.event(run, 'StepAccepted', { step: 'long' });
    expect((await world.signalbox(['pause', run, '--note', 'coffee'])).exitCode).toBe(0);
    world.release('paused-go');
    await world.event(run, 'StepSucceeded', { step: 'long' });
    expect((await world.signalbox(['status', run])).stdout).toContain('PAUSED');
    expect(world.marks().some(({ command }) => command.startsWith('paused-1:later'))).toBe(false);

    expect((await world.signalbox(['resume', run])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
  });

  it('retry sends a new attempt of a failed step, skip goes on without one', async () => {
    const flag = world.file('there');
    const test = (id: string, path: string) =>
      `- id: ${id}\n  hosts: first\n  do: exec.run\n  with: { argv: [test, -e, ${path}], effect: read }\n`;
    const steps = test('wanted', flag) + test('unwanted', `${flag}-not`);
    const run = await world.begin(world.runbook('retried', steps, 'onFailure: hold\n'));
    expect((await world.signalbox(['wait', run, '--for', 'held'])).exitCode).toBe(0);
    world.release('there');
    expect((await world.signalbox(['retry', run, 'wanted', '--note', 'made it'])).exitCode).toBe(0);
    await world.event(run, 'StepFailed', { step: 'unwanted' });
    await world.signalbox(['wait', run, '--for', 'held']);
    expect((await world.signalbox(['skip', run, 'unwanted', '--note', 'not needed'])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
    expect((await world.signalbox(['report', run, '--format', 'md'])).stdout).toContain('not needed');
  });

  it('adjust gives a gate that has run out of time more of it, or another threshold', async () => {
    const lag = await dial(7);
    const gate = dialGate('in-sync', lag, 'timeout: 1s\nonTimeout: hold\n');
    const run = await world.begin(world.runbook('adjusted', gate));
    expect((await world.signalbox(['wait', run, '--for', 'held'])).exitCode).toBe(0);
    const why = await world.signalbox(['status', run, '--why']);
    expect(why.exitCode).toBe(0);
    expect(why.stdout).toContain('SB-GATE-TIMEOUT');
    const adjusted = await world.signalbox([
      ...['adjust', run, 'in-sync', '--timeout', '+20s', '--until', 'body.value.atMost=9', '--note', 'nine is fine'],
    ]);
    expect(adjusted).toMatchObject({ exitCode: 0 });
    expect(await world.event(run, 'GateAdjusted')).toMatchObject({ timeoutMs: 21_000, note: 'nine is fine' });
    expect((await world.signalbox(['resume', run])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
  });

  it('abort must say --undo or --leave; a dry run changes nothing; --undo takes everything back with 1', async () => {
    const run = await world.begin(world.runbook('aborted', `${workStep('step-1')}- id: go\n  approve: { count: 1 }\n`));
    await world.event(run, 'StepStarted', { step: 'go' });
    expect(await world.signalbox(['abort', run, '--note', 'x'])).toMatchObject({ exitCode: 2 });
    const dry = await world.signalbox(['abort', run, '--undo', '--dry-run']);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain('step-1');
    expect((await world.log(run)).some(({ events }) => events.some(({ type }) => type === 'UndoStarted'))).toBe(false);

    expect((await world.signalbox(['abort', run, '--undo', '--note', 'not tonight'])).exitCode).toBe(0);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 1 });
    const undone = world
      .marks()
      .filter(({ command, what }) => command.startsWith('aborted-1:step-1') && what === 'begin');
    expect(undone.filter(({ command }) => command.includes(':undo:'))).toHaveLength(2);
  });

  it('abort --leave leaves what was done, names it, and ends with 5', async () => {
    const run = await world.begin(world.runbook('left', `${workStep('kept')}- id: go\n  approve: { count: 1 }\n`));
    await world.event(run, 'StepStarted', { step: 'go' });
    await world.signalbox(['abort', run, '--leave', '--note', 'by hand tomorrow']);
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 5 });
    expect((await world.signalbox(['report', run])).stdout).toContain('left to do by hand');
    expect(world.marks().some(({ name }) => name === 'undo-kept')).toBe(false);
  });

  it('note stands in the log; a command that changes something never guesses the run', async () => {
    const run = await world.begin(world.runbook('noted', '- id: go\n  approve: { count: 1 }\n'));
    expect((await world.signalbox(['note', run, 'CRM', 'team', 'told'])).exitCode).toBe(0);
    expect((await world.signalbox(['events', run])).stdout).toContain('CRM team told');
    expect((await world.signalbox(['pause'])).exitCode).toBe(2);
    expect((await world.signalbox(['abort', run, '--leave', '--note', 'over'])).exitCode).toBeGreaterThanOrEqual(0);
  });
});

describe('looking at the mesh', () => {
  it('exec runs a program on one host, at most once, and gives its output', async () => {
    const { stdout, exitCode } = await world.signalbox([
      'exec',
      '--hosts',
      'a-2',
      '--effect',
      'read',
      '--',
      'work',
      'once',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('once was here');
    expect(world.marks().filter(({ name, what }) => name === 'once' && what === 'begin')).toHaveLength(1);
  });

  it('hosts, probe and doctor say what is', async () => {
    const hosts = await world.signalbox(['hosts']);
    expect(hosts.stdout).toContain('2 of 2 hosts online');
    const probe = await world.signalbox(['probe', 'host.facts', '--hosts', 'a-1', '--json']);
    expect(JSON.parse(probe.stdout)).toMatchObject([{ host: 'a-1', values: { arch: process.arch } }]);
    const doctor = await world.signalbox(['doctor']);
    expect(doctor.exitCode).toBe(0);
    expect(doctor.stdout).toContain('NATS');
  });
});

describe('every request', () => {
  it('is in the log of the coordinator, granted or refused, with who asked, by which key, in which role, and when', async () => {
    const run = await world.begin(world.runbook('asked', workStep('asked-for', { until: 'asked' })));
    const refused = await world.signalbox(['note', run, 'mine'], { as: 'guest' });
    expect(refused.stderr).toContain('SB-COORD-ROLE');
    expect((await world.signalbox(['note', run, 'seen'], { as: 'mehmet' })).exitCode).toBe(0);
    world.release('asked');
    const lines = world
      .logText('coordinator')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const asked = lines.filter((line) => line.verb === 'note' && line.run === run);
    const who = (name: string, role: string) => ({ name, role, key: world.mesh.nats.operatorKey(name).publicKey });
    expect(asked).toMatchObject([
      { by: who('guest', 'viewer'), granted: false, code: 'SB-COORD-ROLE', time: expect.stringMatching(/^\d{4}-/) },
      { by: who('mehmet', 'approver'), granted: true, time: expect.stringMatching(/^\d{4}-/) },
    ]);

    const record = await world.signalbox(['audit', '--run', run, '--json'], { as: 'guest' });
    expect(JSON.parse(record.stdout).entries).toMatchObject([
      { verb: 'start', by: who('operator', 'operator'), granted: true },
      { verb: 'note', by: who('guest', 'viewer'), granted: false, code: 'SB-COORD-ROLE', atMs: expect.any(Number) },
      { verb: 'note', by: who('mehmet', 'approver'), granted: true },
    ]);
    const shown = await world.signalbox(['audit', '--refused', '--by', 'guest']);
    expect(shown.stdout).toMatch(/guest +viewer +note +\S+ +SB-COORD-ROLE: guest is viewer and may not note/);
    expect(shown.stdout).toMatch(/coordinator-1: 0 to \d+, asked for by people it knows: sealed, none missing between/);
  });
});
