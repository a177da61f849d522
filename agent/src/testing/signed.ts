import type {
  ApprovalSignature,
  Command,
  OperatorCertificate,
  PlannedAction,
  PlanSignature,
  SignedApproval,
} from '@signalbox/protocol';
import {
  createKeyPair,
  type KeyPair,
  merkleTree,
  type Signer,
  signApproval,
  signPlan,
  writeCertificate,
} from '@signalbox/protocol/crypto';
import { type SmallWorld, type SmallWorldOptions, smallWorld } from './small-world.ts';

/** Who vouches for people in the small world, who starts its runs, and a key for which nobody speaks. */
export const authority = createKeyPair('account');
export const ayse = createKeyPair();
export const other = createKeyPair();
export const YEAR_MS = 365 * 24 * 3_600_000;

/** A host that wants an operator behind every command. */
export const world = (options: SmallWorldOptions = {}) => smallWorld({ authority: authority.publicKey, ...options });

export function certificate(change: Partial<OperatorCertificate> = {}, by: Signer = authority): string {
  const said = { mesh: 'lab', name: 'ayse', key: ayse.publicKey, role: 'operator' };
  return writeCertificate({ ...said, issuedAtMs: 0, expiresAtMs: 100 * YEAR_MS, ...change }, by);
}

export const planned = (change: Partial<PlannedAction> = {}): PlannedAction => ({
  ...{ step: 's', host: 'h1', journal: 'journal-1', machine: 'm1', action: 'test.action', version: 1 },
  ...{ with: { unit: 'remesd.service' }, directions: ['do', 'undo'] },
  ...change,
});

export interface Signed {
  readonly actions?: readonly PlannedAction[];
  readonly index?: number;
  readonly certificate?: string;
  readonly signer?: KeyPair;
  readonly signature?: Partial<PlanSignature>;
  readonly approvals?: SignedApproval[];
}

/** Of a plan with other steps beside the one that is meant. */
export function proofOf({ actions = [planned()], index = 0, signer = ayse, approvals, ...given }: Signed = {}) {
  const texts = [...actions, planned({ step: 'other' }), planned({ step: 'more' })].map((a) => JSON.stringify(a));
  const tree = merkleTree(texts);
  const signature = signPlan(signer, {
    ...{ mesh: 'lab', start: 'start-1', plan: 'p', actions: tree.root, signedAtMs: 0 },
    ...given.signature,
  });
  return {
    ...{ signature, certificate: given.certificate ?? certificate() },
    ...{ action: texts[index] ?? '', path: tree.pathTo(index) },
    ...(approvals === undefined ? {} : { approvals }),
  };
}

/** Somebody's word for step `go` of that plan. */
export function approvalBy(
  person: { readonly name: string; readonly key: KeyPair } & Partial<Omit<OperatorCertificate, 'name' | 'key'>>,
  change: Partial<ApprovalSignature> = {},
): SignedApproval {
  const { key, ...said } = person;
  const agreed = { mesh: 'lab', start: 'start-1', plan: 'p', step: 'go', signedAtMs: 0, ...change };
  return {
    signature: signApproval(key, agreed),
    certificate: certificate({ role: 'approver', ...said, key: key.publicKey }),
  };
}

export const asked = (w: SmallWorld, change: Partial<Command> = {}) =>
  w.command({ with: { unit: 'remesd.service' }, proof: proofOf(), ...change });

export const refusals = (w: SmallWorld) =>
  w.reports().flatMap((report) => (report.type === 'refused' ? [report.failure] : []));
