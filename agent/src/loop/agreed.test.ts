import {
  type Command,
  commandId,
  type NeededApproval,
  type PlannedAction,
  type SignedApproval,
} from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { settled } from '../testing/manual-clock.ts';
import { approvalBy, asked, ayse, certificate, other, planned, proofOf, refusals, world } from '../testing/signed.ts';
import type { SmallWorld } from '../testing/small-world.ts';

const can = { name: 'can', key: createKeyPair() };
const mehmet = { name: 'mehmet', key: createKeyPair() };
const starter = { name: 'ayse', key: ayse };
const TWO: NeededApproval = { step: 'go', count: 2, role: 'approver', notSubmitter: true };
const MINUTE_MS = 60_000;

const behind = (w: SmallWorld, approvals: SignedApproval[], rule: NeededApproval | NeededApproval[] = TWO) =>
  asked(w, { proof: proofOf({ actions: [planned({ approvals: [rule].flat() })], approvals }) });

async function given(approvals: SignedApproval[], rule?: NeededApproval | NeededApproval[]) {
  const w = await world();
  await w.give(behind(w, approvals, rule));
  const [failure] = refusals(w);
  return { ran: w.runs().length, why: failure && `${failure.code} ${failure.message}` };
}

describe('a step behind an approval', () => {
  it('is begun when so many different people have signed that they agree', async () => {
    expect(await given([approvalBy(can), approvalBy(mehmet)])).toEqual({ ran: 1, why: undefined });
  });

  const admin = { ...can, role: 'admin' };
  it.each<[string, SignedApproval[], NeededApproval | NeededApproval[]]>([
    ['an admin, whatever role is asked for', [approvalBy(admin), approvalBy(mehmet)], TWO],
    [
      'who started the run, where that is not ruled out',
      [approvalBy(starter)],
      { step: 'go', count: 1, notSubmitter: false },
    ],
    [
      'each of several',
      [approvalBy(can), approvalBy(mehmet, { step: 'then' })],
      [
        { step: 'go', count: 1, notSubmitter: true },
        { step: 'then', count: 1, notSubmitter: true },
      ],
    ],
    [
      'people within the time that it is valid',
      [approvalBy(can), approvalBy(mehmet, { signedAtMs: 10 * MINUTE_MS })],
      { ...TWO, validForMs: 10 * MINUTE_MS },
    ],
  ])('is begun for %s', async (_, approvals, rule) => {
    expect(await given(approvals, rule)).toEqual({ ran: 1, why: undefined });
  });

  const one = approvalBy(can);
  const forged = { ...mehmet, key: other };
  it.each<[string, SignedApproval[], (NeededApproval | NeededApproval[])?]>([
    ['go has not been approved', []],
    ['go has not been approved', [one]],
    ['go has not been approved', [one, one]],
    ['go has not been approved', [one, approvalBy({ ...can, key: mehmet.key })]],
    ['go has not been approved', [one, approvalBy({ ...mehmet, key: can.key })]],
    ['go has not been approved', [one, approvalBy(mehmet, { step: 'then' })]],
    [
      'then has not been approved',
      [one],
      [
        { step: 'go', count: 1, notSubmitter: true },
        { ...TWO, step: 'then' },
      ],
    ],
    ['mehmet has agreed to another run', [one, approvalBy(mehmet, { start: 'start-0' })]],
    ['mehmet has agreed to another run', [one, approvalBy(mehmet, { plan: 'q' })]],
    ['mehmet has agreed in another mesh', [one, approvalBy(mehmet, { mesh: 'prod' })]],
    ['mehmet has agreed in another mesh', [one, approvalBy({ ...mehmet, mesh: 'prod' })]],
    ['mehmet is operator', [one, approvalBy({ ...mehmet, role: 'operator' })]],
    ['mehmet is viewer', [approvalBy({ ...mehmet, role: 'viewer' })], { step: 'go', count: 1, notSubmitter: false }],
    ['ayse has started the run', [one, approvalBy({ ...starter, role: 'approver' })]],
    ['ayse has started the run', [one, approvalBy({ ...starter, role: 'approver', key: other })]],
    ['the certificate of mehmet has ended', [one, approvalBy({ ...mehmet, expiresAtMs: 1 })]],
    ['not trusted to send a approval', [one, { ...approvalBy(forged), certificate: approvalBy(mehmet).certificate }]],
    [
      'not trusted to send a certificate',
      [one, { ...approvalBy(mehmet), certificate: certificate({ name: 'mehmet', key: mehmet.key.publicKey }, other) }],
    ],
    ['not an envelope', [one, { signature: '{}', certificate: approvalBy(mehmet).certificate }]],
    [
      'go has not been approved',
      [one, approvalBy(mehmet, { signedAtMs: 14 * MINUTE_MS })],
      { ...TWO, validForMs: 10 * MINUTE_MS },
    ],
  ])('is refused when %s', async (why, approvals, rule) => {
    expect(await given(approvals, rule)).toEqual({ ran: 0, why: expect.stringContaining(why) });
  });

  it('is refused with the code of what nobody has asked for', async () => {
    expect((await given([])).why).toMatch(/^SB-AGENT-PROOF nobody has asked for this: go has not been approved/);
  });

  const undo = (w: SmallWorld, approvals: SignedApproval[] = []): Command => {
    const proof = proofOf({ actions: [planned({ approvals: [TWO] })], approvals });
    return asked(w, { direction: 'undo', proof });
  };

  it('is undone without anybody’s leave where it was done', async () => {
    const w = await world();
    await w.give(behind(w, [approvalBy(can), approvalBy(mehmet)]));
    await w.give({ ...undo(w), receipt: { was: 'so' } });
    expect(w.runs().map(({ what }) => what)).toEqual(['run', 'undo']);
  });

  it('is undone where it was never done only when people had approved it, whatever has ended since', async () => {
    const w = await world();
    await w.give(undo(w));
    expect(refusals(w)).toMatchObject([{ message: expect.stringContaining('go has not been approved') }]);
    const ended = approvalBy({ ...mehmet, expiresAtMs: 1 });
    await w.give({
      ...undo(w, [approvalBy(can), ended]),
      ...{ attempt: 2, id: commandId({ ...undo(w), attempt: 2 }) },
    });
    expect(w.runs().map(({ what }) => what)).toEqual(['undo']);
  });
});

describe('an approver’s certificate', () => {
  const rule: NeededApproval = { step: 'go', count: 1, notSubmitter: true };
  const steps = (...all: Partial<PlannedAction>[]) => all.map((change) => planned({ approvals: [rule], ...change }));

  it('may end once something has been begun behind the approval, also for an agent that was started again', async () => {
    const w = await world();
    const approvals = [approvalBy({ ...can, expiresAtMs: w.clock.nowMs() + 1_000 })];
    const actions = steps({}, { step: 'later' });
    await w.give(asked(w, { proof: proofOf({ actions, approvals }) }));
    w.clock.advance(2_000);
    await settled();
    const again = await world({ storage: w.storage, clock: w.clock, keys: w.keys });
    const later = { step: 'later', proof: proofOf({ actions, index: 1, approvals }), sentAtMs: w.clock.nowMs() };
    await again.give(asked(again, later));
    expect(refusals(again)).toEqual([]);
    expect(again.runs()).toHaveLength(1);
  });

  it('keeps nothing from being taken back: a step of the way back is done although it has ended', async () => {
    const w = await world();
    const proof = proofOf({
      actions: steps({ only: 'undo', directions: ['do'] }),
      approvals: [approvalBy({ ...can, expiresAtMs: 1 })],
    });
    await w.give(asked(w, { proof }));
    expect(w.runs()).toHaveLength(1);
  });
});
