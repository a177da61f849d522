import { ApprovalSignature, OperatorCertificate, PlanSignature } from '../proof.ts';
import type { Signer } from './keys.ts';
import { open, seal } from './seal.ts';

/** A person's certificate as text, sealed by the authority of the mesh. */
export function writeCertificate(certificate: OperatorCertificate, authority: Signer): string {
  return Buffer.from(seal('certificate', certificate, authority)).toString();
}

/** @throws a code of PROTOCOL_CODES when it is none, or not of this authority. */
export function readCertificate(text: string, authority: string): OperatorCertificate {
  const trusts = (key: string) => key === authority;
  return open(Buffer.from(text), { kind: 'certificate', schema: OperatorCertificate, trusts }).payload;
}

/** An operator's signature on a plan, as text. */
export function signPlan(signer: Signer, signature: PlanSignature): string {
  return Buffer.from(seal('plan', signature, signer)).toString();
}

/** @throws a code of PROTOCOL_CODES when it is none, or not of this key. */
export function readPlanSignature(text: string, publicKey: string): PlanSignature {
  const trusts = (key: string) => key === publicKey;
  return open(Buffer.from(text), { kind: 'plan', schema: PlanSignature, trusts }).payload;
}

/** An approver's signature on a step of a plan, as text. */
export function signApproval(signer: Signer, signature: ApprovalSignature): string {
  return Buffer.from(seal('approval', signature, signer)).toString();
}

/** @throws a code of PROTOCOL_CODES when it is none, or not of this key. */
export function readApprovalSignature(text: string, publicKey: string): ApprovalSignature {
  const trusts = (key: string) => key === publicKey;
  return open(Buffer.from(text), { kind: 'approval', schema: ApprovalSignature, trusts }).payload;
}
