import { type Command, type Control, commandId, type Proof } from '@signalbox/protocol';
import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sayTo } from '../../lab/child.ts';
import { PROGRAMS } from '../../lab/programs.ts';
import { workStep } from '../support/work.ts';
import { World } from '../support/world.ts';
import { changed, payloadOf, ServerOwner, sealed } from './server-owner.ts';
import { TakenOver } from './taken-over.ts';

const POLICY = `allow:
  actions: [exec.run]
  commands: [[work, "**"]]
`;

/** A policy belongs to root, and only root can make one. */
describe.skipIf(process.getuid?.() !== 0)('who has taken over the process that speaks to the network', () => {
  let world: World;
  let owner: ServerOwner;
  /** What `a-1` has done on an honest night, and what it was told for that. */
  let told: { id: string; data: Uint8Array; command: Command };
  /** Who leads by now. */
  let now: { epoch: number; nonce: string } | undefined;
  let taken: TakenOver;

  beforeAll(async () => {
    world = await World.start({ hosts: ['a-1', 'a-2'], messenger: true, policy: POLICY });
  });
  afterAll(() => world?.end());

  const marks = () => world.marks().map(({ command, what, name }) => `${command} ${what} ${name}`);
  /** All that the host has ever been asked for. */
  const journal = async () => {
    const { stdout } = await sayTo([PROGRAMS.agent, 'journal', '--config', world.mesh.etc('agent-a-1.yaml')]);
    return stdout.split('\n').filter((line) => !line.includes('published'));
  };
  const stranger = createKeyPair();
  const soon = () => ({ sentAtMs: Date.now(), notAfterMs: Date.now() + 60_000 });

  it('has carried a run before, with a key that it never had', async () => {
    owner = await ServerOwner.of(world);
    const steps = `${workStep('one')}- id: agreed\n  approve: { count: 1 }\n${workStep('two')}`;
    const run = await world.begin(world.runbook('honest', steps));
    await world.event(run, 'StepStarted', { step: 'agreed' });
    expect(world.marks().filter(({ what }) => what === 'end')).toHaveLength(2);
    // Another leader follows: what the first one has said is of last night.
    await world.mesh.killCoordinator();
    world.mesh.startCoordinator();
    now = await until('the next leader', async () => {
      const events = (await world.log(run)).flatMap(({ events }) => events);
      const [, next] = events.flatMap((event) => (event.type === 'Led' ? [event] : []));
      return next && { epoch: next.epoch, nonce: next.nonce };
    });
    await until('a-1 to know it', async () => (await journal()).filter((line) => line.includes('fence')).length === 2);
    const first = owner.commands().find(({ host }) => host === 'a-1');
    if (!first) throw new Error('nothing was told to a-1');
    told = { ...first, id: first.command.id };
    await world.mesh.kill('a-1-messenger');
    taken = await TakenOver.of(world, 'a-1');
    const seeds = JSON.stringify(taken.told).match(/S[UAUN][A-Z2-7]{56}/g);
    expect(seeds).toBeNull();
  });

  it('has nothing done that nobody has signed, or that was signed for somebody else', async () => {
    const before = [marks(), await journal()];
    const { command, data } = told;
    const parts = { ...command, attempt: 2, ...soon() };
    const id = commandId(parts);
    const other = owner.commands().find(({ host }) => host === 'a-2');
    if (!other) throw new Error('nothing was told to a-2');
    const tries: [id: string, Uint8Array][] = [
      [id, Buffer.from('{}')],
      [id, sealed({ ...parts, id }, stranger)],
      [id, changed(data, (payload) => Object.assign(payload, { id, attempt: 2 }))],
      [told.id, changed(data, (payload) => Object.assign(payload, { with: { argv: ['work', 'forged'] } }))],
      // What it was told, under another name.
      [id, data],
      [other.command.id, other.data],
    ];
    for (const [name, message] of tries)
      expect(await taken.deliver('commands', name, message)).toMatchObject({ verdict: 'terminate' });
    const closed = { ...authority(command), type: 'closed', id: 'forged', outcome: 'completed' } as unknown as Control;
    expect(await taken.deliver('controls', 'forged', seal('control', closed, stranger))).toMatchObject({
      verdict: 'terminate',
    });
    const check = { verb: 'check', mesh: command.mesh, host: 'a-1', nonce: 'n', timeoutMs: 1_000 };
    const asked = seal('query', { ...check, action: 'exec.run', with: command.with }, stranger);
    expect(await taken.ask('check', asked)).toMatchObject({ type: 'unanswered' });
    expect([marks(), await journal()]).toEqual(before);
  });

  it('has nothing done twice, also when the runner was killed meanwhile', async () => {
    const before = marks();
    expect(await taken.deliver('commands', told.id, told.data)).toMatchObject({ verdict: 'ack' });
    await until('its end to be told once more', () => taken.reports().some(({ type }) => type === 'outcome'));
    await world.mesh.kill('a-1');
    await taken.closed;
    world.mesh.startAgent('a-1');
    taken = await TakenOver.of(world, 'a-1');
    expect(await taken.deliver('commands', told.id, told.data)).toMatchObject({ verdict: 'ack' });
    await until('its end to be told once more', () => taken.reports().some(({ type }) => type === 'outcome'));
    expect(marks()).toEqual(before);
  });

  it("has nothing done with a coordinator's key either that no operator asked for, that an older leader says, or that the policy forbids", async () => {
    const key = world.mesh.nats.keys.coordinator;
    const before = marks();
    const { proof, ...bare } = told.command;
    const tell = async (change: Partial<Command> & { proof?: Proof }) => {
      const command = { ...bare, ...soon(), ...change };
      const id = commandId(command);
      expect(await taken.deliver('commands', id, sealed({ ...command, id }, key))).toMatchObject({
        verdict: 'terminate',
      });
      return await taken.refusalOf(command);
    };
    const proven = proof && { proof };
    expect(await tell({ ...now, attempt: 2 })).toBe('SB-AGENT-PROOF');
    expect(await tell({ attempt: 3, ...proven })).toBe('SB-AGENT-EPOCH');
    const other = { argv: ['id'], effect: 'read' };
    expect(await tell({ ...now, attempt: 4, ...proven, with: other })).toBe('SB-AGENT-PROOF');
    const check = { verb: 'check', mesh: bare.mesh, host: 'a-1', nonce: 'n', timeoutMs: 5_000, action: 'exec.run' };
    const answer = await taken.ask('check', seal('query', { ...check, with: { argv: ['id'], effect: 'read' } }, key));
    expect(payloadOf(Buffer.from(String(answer.data), 'base64'))).toMatchObject({
      failure: { code: 'SB-POLICY-COMMAND' },
    });
    expect(marks()).toEqual(before);
  });

  it('cannot say anything in the name of the host', async () => {
    const { run, id } = told.command;
    const report = { type: 'refused', run, commandId: id };
    taken.say({ type: 'sign', challenge: `signalbox/v1/report\n${JSON.stringify(report)}` });
    await taken.closed;
    expect(taken.told.some(({ type }) => type === 'signed')).toBe(false);
  });

  it('has done no harm that stays: with an honest one the host goes on', async () => {
    world.mesh.startMessenger('a-1');
    await world.online(['a-1', 'a-2']);
    const run = await world.begin(world.runbook('after', workStep('three')));
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
  });
});

const authority = ({ mesh, run, host, epoch, nonce, head, journal, machine }: Command) => ({
  ...{ mesh, run, host, epoch, nonce, head, journal, machine },
  sentAtMs: Date.now(),
});
