import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workStep } from '../support/work.ts';
import { MESH, World } from '../support/world.ts';
import { changed, payloadOf, ServerOwner, sealed } from './server-owner.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.end());

const done = () =>
  world
    .marks()
    .filter(({ what }) => what === 'begin')
    .map(({ command, name }) => `${name} ${command}`);

/** Both hosts do one thing more, that somebody has asked for: what came before it has been dealt with. */
async function settled(name: string): Promise<string[]> {
  const before = done();
  const argv = ['exec', '--hosts', 'role=box', '--effect', 'read', '--', 'work', name];
  expect(await world.signalbox(argv)).toMatchObject({ exitCode: 0 });
  return done().filter((mark) => !before.includes(mark) && !mark.startsWith(`${name} `));
}

describe('who owns the NATS server', () => {
  it('makes no host do anything: by replay, in another order, at another host, changed, or forged', async () => {
    const owner = await ServerOwner.of(world);
    const good = await world.signalbox(['start', world.runbook('good', workStep('one') + workStep('two')), '--yes']);
    expect(good.exitCode).toBe(0);
    const bad = workStep('three') + workStep('never').replace('work, never', 'false');
    expect((await world.signalbox(['start', world.runbook('bad', bad), '--yes'])).exitCode).toBe(1);
    const before = done();
    expect(before.filter((mark) => mark.startsWith('undo-three'))).toHaveLength(2);

    const heard = owner.commands();
    expect(heard.length).toBeGreaterThanOrEqual(10);
    const mallory = createKeyPair();
    for (const { host, data, command } of [...heard, ...heard.toReversed()]) {
      const other = host === 'a-1' ? 'a-2' : 'a-1';
      await owner.tell(host, command.id, data);
      await owner.tell(other, command.id, data);
      for (const field of Object.keys(command)) {
        const damaged = changed(data, (payload) => Object.assign(payload, { [field]: undefined }));
        await owner.tell(host, command.id, damaged);
      }
      const words = changed(data, (payload) =>
        Object.assign(payload, { with: { argv: ['work', 'forged'] }, attempt: 9 }),
      );
      await owner.tell(host, command.id, words);
      await owner.tell(host, command.id, sealed({ ...command, attempt: 9 }, mallory));
    }
    expect(await settled('after-storm')).toEqual([]);
    // It did come to them.
    for (const host of ['a-1', 'a-2'])
      for (const code of ['SB-MSG-SIGNATURE', 'SB-MSG-UNTRUSTED', 'SB-AGENT-ADDRESS'])
        await until(`${host} to name ${code}`, () => world.logText(host).includes(code));
    expect(done().filter((mark) => before.includes(mark))).toEqual(before);
  });

  it('moves no run: not by reports that it repeats or makes, nor by what people have said before', async () => {
    const owner = await ServerOwner.of(world);
    const steps = `${workStep('first')}- id: agreed\n  approve: { count: 1 }\n${workStep('second')}`;
    const file = world.runbook('asked', steps);
    const earlier = await world.begin(file);
    await world.event(earlier, 'StepSucceeded', { step: 'first' });
    expect((await world.signalbox(['approve', earlier, 'agreed'])).exitCode).toBe(0);
    await world.event(earlier, 'Ended');

    const run = await world.begin(file);
    await world.event(run, 'StepStarted', { step: 'agreed' });
    const approval = await owner.sight('an approval', ({ subject }) => subject === `sb.${MESH}.req.approve`);
    const forOther = changed(approval.data, ({ body }) => Object.assign(body as object, { run }));
    const stranger = seal('request', { ...payloadOf<object>(approval.data), nonce: 'new' }, createKeyPair());
    for (const [data, code] of [
      [approval.data, 'SB-COORD-REPLAY'],
      [forOther, 'SB-MSG-SIGNATURE'],
      [stranger, 'SB-MSG-UNTRUSTED'],
    ] as const)
      expect(await owner.ask('approve', data)).toMatchObject({ type: 'failed', failure: { code } });

    const reports = owner.seen.filter(({ subject }) => subject.startsWith(`sb.${MESH}.report.`));
    expect(reports.length).toBeGreaterThan(6);
    for (const { subject, data } of reports) {
      const mine = subject.replace(/[^.]+$/, run);
      await owner.publish(mine, data);
      await owner.publish(
        mine,
        changed(data, (payload) => Object.assign(payload, { run, step: 'second' })),
      );
      await owner.publish(mine, seal('report', { ...payloadOf<object>(data), run, step: 'second' }, createKeyPair()));
    }
    expect(await settled('after-reports')).toEqual([]);
    const events = (await world.log(run)).flatMap((entry) => entry.events.map(({ type }) => type));
    expect(events).not.toContain('ApprovalGiven');
    expect(events.filter((type) => type === 'StepSucceeded')).toHaveLength(2);
    expect((await world.signalbox(['abort', run, '--undo', '--note', 'over'])).exitCode).toBe(0);
  });
});
