import { Plan, type SignedApproval, type SignedStart } from '@signalbox/protocol';
import { type Signer, sha256, signApproval, signPlan } from '@signalbox/protocol/crypto';
import { signableOf } from '../signable.ts';

/**
 * The operator's own word that this plan is to be carried out, once, under this start. Made where the operator is: hosts
 * believe it, and not the coordinator that passes it on.
 */
export function signStart(
  { text, start, nowMs }: { readonly text: string; readonly start: string; readonly nowMs: number },
  { key, certificate }: { readonly key: Signer; readonly certificate: string },
): SignedStart {
  const plan = Plan.parse(JSON.parse(text));
  const actions = signableOf(plan).tree.root;
  const signature = signPlan(key, { mesh: plan.mesh, start, plan: sha256(text), actions, signedAtMs: nowMs });
  return { signature, certificate };
}

export interface ApprovalOf {
  /** The plan's exact text, as the approver was shown it. */
  readonly text: string;
  readonly start: string;
  readonly step: string;
  readonly nowMs: number;
}

/** The approver's own word for one step of one start of this plan. */
export function signAgreement(
  { text, start, step, nowMs }: ApprovalOf,
  { key, certificate }: { readonly key: Signer; readonly certificate: string },
): SignedApproval {
  const { mesh } = Plan.parse(JSON.parse(text));
  const signature = signApproval(key, { mesh, start, plan: sha256(text), step, signedAtMs: nowMs });
  return { signature, certificate };
}
