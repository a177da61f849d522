import { type Command, commandId, Plan, type Proof, type Report, type SignedApproval } from '@signalbox/protocol';
import { createKeyPair, merkleTree, signApproval, writeCertificate } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { plannedActions } from '@signalbox/sequencer';
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
  world = await World.start({ operators: { operator: 'operator', mehmet: 'approver' } });
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

/** A command for a step of an open run that has not been asked for yet, with all that its coordinator has to prove it. */
async function forgeable(of: string, step: string): Promise<{ command: Command; proof: Proof }> {
  const first = owner.commands().find(({ host, command }) => host === 'a-1' && command.run === of)?.command;
  if (!first?.proof) throw new Error(`nothing that proves something was told to a-1 in ${of}`);
  const { plan: text = '' } = await world.operator.ask('log', { run: of, from: 0, plan: true });
  const planned = [...plannedActions(Plan.parse(JSON.parse(text))).values()];
  const index = planned.findIndex((action) => {
    const { step: named, host } = JSON.parse(action);
    return named === step && host === 'a-1';
  });
  const action = planned[index] ?? '';
  const { action: name, version, with: input } = JSON.parse(action);
  const proof = { ...first.proof, action, path: merkleTree(planned).pathTo(index) };
  return { command: { ...first, step, action: name, version, with: input, proof }, proof };
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

  it('cannot begin what comes after an approval before people have given it', async () => {
    owner = await ServerOwner.of(world);
    const go = '- id: go\n  approve: { count: 1, role: approver, notSubmitter: true }\n';
    const file = world.runbook('behind', workStep('before') + go + workStep('behind'));
    const plan = world.file('behind.plan');
    expect(await world.signalbox(['plan', file, '--out', plan])).toMatchObject({ exitCode: 0 });
    const earlier = await world.begin(plan);
    await world.event(earlier, 'StepStarted', { step: 'go' });
    expect(await world.signalbox(['approve', earlier, 'go'], { as: 'mehmet' })).toMatchObject({ exitCode: 0 });
    const given = await world.event(earlier, 'ApprovalGiven', { step: 'go' });
    expect(await world.signalbox(['wait', earlier, '--for', 'done'])).toMatchObject({ exitCode: 0 });

    const tonight = await world.begin(plan);
    await world.event(tonight, 'StepStarted', { step: 'go' });
    const { command, proof } = await forgeable(tonight, 'behind');
    const { signed } = given;
    if (!signed) throw new Error('an approval that nobody has signed');
    const me = createKeyPair();
    const start = (await world.event(tonight, 'RunCreated')).start ?? '';
    const agreed = { mesh: MESH, start, plan: command.planHash, step: 'go', signedAtMs: Date.now() };
    const self = { mesh: MESH, name: 'mehmet', key: me.publicKey, role: 'admin', issuedAtMs: 0, expiresAtMs: 9e12 };
    const tries: [why: string, SignedApproval[]][] = [
      ['go has not been approved', []],
      ['mehmet has agreed to another run', [signed]],
      ['not trusted to send a approval', [{ ...signed, signature: signApproval(me, agreed) }]],
      [
        'not trusted to send a certificate',
        [{ signature: signApproval(me, agreed), certificate: writeCertificate(self, createKeyPair('account')) }],
      ],
      // What who started the run has signed himself is no approval of somebody else.
      [
        'operator has started the run|operator is operator',
        [{ signature: signApproval(world.mesh.nats.operatorKey('operator'), agreed), certificate: proof.certificate }],
      ],
    ];
    for (const [i, [why, approvals]] of tries.entries()) {
      const forged = { ...command, ...soon(), attempt: i + 2, proof: { ...proof, approvals } };
      expect(await refusalOf(forged)).toMatch(new RegExp(`^SB-AGENT-PROOF .*(${why})`));
    }
    const done = (run: string) => world.marks().filter(({ command: of }) => of.startsWith(`${run}:behind:`));
    expect(done(tonight)).toEqual([]);

    // What a host was asked for behind its back holds the run of an honest coordinator, until a person has seen it.
    const { reasons } = await world.event(tonight, 'Held');
    expect(reasons).toMatchObject([{ failure: { code: 'SB-RUN-CONTRADICTED' } }]);
    expect(await world.signalbox(['resume', tonight])).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['approve', tonight, 'go'], { as: 'mehmet' })).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', tonight, '--for', 'done'])).toMatchObject({ exitCode: 0 });
    expect(done(tonight).filter(({ what }) => what === 'begin')).toHaveLength(2);
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
