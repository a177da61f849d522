import { type OperatorCertificate, SignalboxError, type SignedApproval } from '@signalbox/protocol';
import {
  createKeyPair,
  readApprovalSignature,
  sha256,
  signApproval,
  writeCertificate,
} from '@signalbox/protocol/crypto';
import type { RunState } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { signAgreement, signStart } from '../cli/sign-start.ts';
import { action, World } from '../testing/world.ts';
import type { Hosts } from './hosts.ts';
import { refuseUnsignedApproval } from './signed-approval.ts';

const authority = createKeyPair('account');
const ayse = createKeyPair();
const mehmet = createKeyPair();
const other = createKeyPair();
const NOW_MS = 1_000_000;

const certificate = (change: Partial<OperatorCertificate> = {}, by = authority) => {
  const said = { mesh: 'test', name: 'mehmet', key: mehmet.publicKey, role: 'approver' };
  return writeCertificate({ ...said, issuedAtMs: 0, expiresAtMs: 2 * NOW_MS, ...change }, by);
};

const rule = { count: 1, role: 'approver', notSubmitter: true };
const go = { kind: 'approval' as const, id: 'go', number: 1, line: 1, approve: rule };
const plan = new World(['a']).plan([go, action('one', ['a'])]);
const text = JSON.stringify(plan);
const signedStart = signStart({ text, start: 's-1', nowMs: 0 }, { key: ayse, certificate: '' });
const state = {
  plan,
  run: 'book-1',
  submitter: { name: 'ayse', key: ayse.publicKey },
  signed: signedStart,
} as RunState;

const trusting = { get: () => undefined } as unknown as Hosts;
const wary = { get: () => ({ health: { authority: authority.publicKey } }) } as unknown as Hosts;

const agreed = (change: object = {}) =>
  signAgreement(
    { text, start: 's-1', step: 'go', nowMs: NOW_MS, ...change },
    { key: mehmet, certificate: certificate() },
  );
const of = (signed: SignedApproval | undefined, role = 'approver') => ({
  ...{ state, step: 'go', signed },
  by: { name: 'mehmet', key: mehmet.publicKey, role },
});

function refusal(asked: Parameters<typeof refuseUnsignedApproval>[0], hosts = wary): string | undefined {
  try {
    refuseUnsignedApproval(asked, { hosts, nowMs: NOW_MS });
    return undefined;
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

describe('an approval that hosts will want to see', () => {
  it('is taken as an approver has signed it: of this step, plan and start', () => {
    expect(refusal(of(agreed()))).toBeUndefined();
    expect(readApprovalSignature(agreed().signature, mehmet.publicKey)).toEqual({
      ...{ mesh: 'test', start: 's-1', plan: sha256(text), step: 'go', signedAtMs: NOW_MS },
    });
  });

  it.each<[string, SignedApproval | undefined]>([
    ['a believes only approvals that an approver has signed', undefined],
    ['something else than go', agreed({ step: 'one' })],
    ['something else than go', agreed({ start: 's-2' })],
    ['something else than go', agreed({ text: `${text} ` })],
    ['is not trusted to send', { ...agreed(), signature: otherSignature() }],
    ['not trusted to send a certificate', { ...agreed(), certificate: certificate({}, other) }],
    ['the certificate is not mehmet’s', { ...agreed(), certificate: certificate({ name: 'can' }) }],
    ['the certificate is not mehmet’s', { ...agreed(), certificate: certificate({ key: other.publicKey }) }],
    ['the certificate is not mehmet’s', { ...agreed(), certificate: certificate({ mesh: 'prod' }) }],
    ['mehmet is operator and may not approve go', { ...agreed(), certificate: certificate({ role: 'operator' }) }],
    ['the certificate of mehmet ended', { ...agreed(), certificate: certificate({ expiresAtMs: NOW_MS }) }],
  ])('is refused at once when hosts would not count it: %s', (why, signed) => {
    expect(refusal(of(signed))?.replaceAll("'", '’')).toContain(why);
  });

  it('of somebody who may not give it is left to the rule of the run, which says so', () => {
    expect(refusal(of({ ...agreed(), certificate: certificate({ role: 'operator' }) }, 'operator'))).toBeUndefined();
  });

  it('may be unsigned where hosts take a coordinator’s word', () => {
    expect(refusal(of(undefined), trusting)).toBeUndefined();
    expect(refusal({ ...of(undefined), state: { ...state, signed: undefined } })).toBeUndefined();
  });
});

function otherSignature(): string {
  const said = { mesh: 'test', start: 's-1', plan: sha256(text), step: 'go', signedAtMs: NOW_MS };
  return signApproval(other, said);
}
