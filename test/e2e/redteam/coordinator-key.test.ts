import { type Command, commandId, type Report } from '@signalbox/protocol';
import { createKeyPair, writeCertificate } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workStep } from '../support/work.ts';
import { MESH, World } from '../support/world.ts';
import { payloadOf, ServerOwner, sealed } from './server-owner.ts';

/** With the server and the key of a coordinator: every message is theirs to sign. */
let world: World;
let owner: ServerOwner;
let run: string;
/** What a coordinator has told `a-1` in an open run, and how that host is known. */
let told: Command;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.end());

const marks = () => world.marks().map(({ name }) => name);

/** Told to a host, signed with the coordinator's own key. @returns the code that it refuses with. */
async function refusalOf(command: Command): Promise<string> {
  const { host, run: of, step, direction, attempt } = command;
  const id = commandId({ run: of, step, host, direction, attempt });
  await owner.tell(host, id, sealed({ ...command, id }, world.mesh.nats.keys.coordinator));
  const report = await until(`${host} to say what it makes of ${id}`, () =>
    owner.seen
      .filter(({ subject }) => subject.startsWith(`sb.${MESH}.report.${host}.`))
      .map(({ data }) => payloadOf<Report>(data))
      .find((said) => said.type === 'refused' && said.commandId === id),
  );
  return report.type === 'refused' ? `${report.failure.code} ${report.failure.message}` : '';
}

const soon = () => ({ sentAtMs: Date.now(), notAfterMs: Date.now() + 60_000 });

describe('who has the key of a coordinator, and the server', () => {
  it('has no host do anything outside a plan that an operator has signed', async () => {
    owner = await ServerOwner.of(world);
    run = await world.begin(
      world.runbook('open', `${workStep('one')}- id: agreed\n  approve: { count: 1 }\n${workStep('two')}`),
    );
    await world.event(run, 'StepStarted', { step: 'agreed' });
    const first = owner.commands().find(({ host, command }) => host === 'a-1' && command.run === run);
    if (!first) throw new Error('nothing was told to a-1');
    told = first.command;
    const before = marks();
    const { hosts } = await world.operator.ask('hosts', {});
    const there = hosts.find(({ name }) => name === 'a-2')?.health;
    const { proof, ...bare } = { ...told, ...soon() };
    if (!proof || !there) throw new Error('a command without a proof, or a host without a beat');
    const forged = { argv: ['work', 'forged'], effect: 'read' };
    const again = { ...bare, attempt: 2 };
    const made = createKeyPair('account');
    const me = createKeyPair();
    const self = { mesh: MESH, name: 'operator', key: me.publicKey, role: 'admin', issuedAtMs: 0, expiresAtMs: 9e12 };

    const tries: [why: string, Command][] = [
      ['carries no proof', { ...again, with: forged }],
      ['something else than was signed', { ...again, with: forged, proof, attempt: 3 }],
      ['was signed once, for', { ...again, run: 'another-1', proof, attempt: 4 }],
      [
        'host is a-2, and was signed as a-1',
        { ...again, host: 'a-2', journal: there.journal, machine: there.machine, proof },
      ],
      ['step is two, and was signed as one', { ...again, step: 'two', proof }],
      ['action is file.remove', { ...again, action: 'file.remove', with: { path: '/etc' }, proof, attempt: 5 }],
      ['has signed another plan', { ...again, planHash: 'f'.repeat(64), proof, attempt: 6 }],
      [
        'not trusted to send a certificate',
        { ...again, attempt: 7, proof: { ...proof, certificate: writeCertificate(self, made) } },
      ],
      [
        'does not have this action',
        { ...again, attempt: 8, with: forged, proof: { ...proof, action: proof.action.replace('work', 'true') } },
      ],
    ];
    for (const [why, command] of tries)
      expect(await refusalOf(command)).toMatch(new RegExp(`^SB-AGENT-PROOF .*${why}`));
    expect(marks()).toEqual(before);
  });

  it('cannot have a run of last night done once more', async () => {
    owner = await ServerOwner.of(world);
    expect((await world.signalbox(['abort', run, '--leave', '--note', 'over'])).exitCode).toBe(0);
    await until('the hosts to hear that it is closed', () =>
      owner.seen.some(
        ({ subject, data }) =>
          subject.includes('.report.a-1.') &&
          payloadOf<Report>(data).type === 'control' &&
          Buffer.from(data).includes('closed'),
      ),
    );
    const before = marks();
    expect(await refusalOf({ ...told, ...soon(), attempt: 20 })).toContain('SB-AGENT-RUN-CLOSED');
    expect(await refusalOf({ ...told, ...soon(), attempt: 21, run: 'tonight-1' })).toContain('was signed once, for');
    expect(marks()).toEqual(before);
  });
});
