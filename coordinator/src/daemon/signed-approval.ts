import { type Actor, fitsRole, type SignedApproval } from '@signalbox/protocol';
import { readApprovalSignature, readCertificate, readPlanSignature } from '@signalbox/protocol/crypto';
import { approvalRule, indexOf, type RunState } from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';
import type { Hosts } from './hosts.ts';
import { authoritiesOf } from './signed-start.ts';

export interface AskedApproval {
  readonly state: RunState;
  readonly step: string;
  readonly signed: SignedApproval | undefined;
  readonly by: Actor;
}

/**
 * Refuses what hosts would not count when a command behind the approval comes to them: it is not signed, signed for
 * something else, or by somebody for whom their authority does not speak. Who approves can still do something about it now.
 * @throws SB-COORD-UNSIGNED, a code of PROTOCOL_CODES
 */
export function refuseUnsignedApproval(
  { state, step, signed, by }: AskedApproval,
  { hosts, nowMs }: { hosts: Hosts; nowMs: number },
): void {
  // A run that nobody has signed is for hosts that take a coordinator's word.
  if (state.signed === undefined) return;
  const authorities = authoritiesOf(state.plan, hosts);
  if (signed === undefined) {
    const [host] = authorities.values();
    if (host === undefined) return;
    throw coordinatorError('SB-COORD-UNSIGNED', `${host} believes only approvals that an approver has signed`);
  }
  const { start, plan, mesh } = readPlanSignature(state.signed.signature, state.submitter.key);
  const said = readApprovalSignature(signed.signature, by.key);
  if (said.mesh !== mesh || said.start !== start || said.plan !== plan || said.step !== step)
    throw coordinatorError('SB-COORD-UNSIGNED', `${by.name} has signed something else than ${step} of ${state.run}`);
  const leaf = indexOf(state.plan).byStep.get(step)?.[0]?.leaf;
  const rule = leaf && approvalRule(leaf);
  for (const [authority, host] of authorities) {
    const { name, key, role, expiresAtMs, mesh: of } = readCertificate(signed.certificate, authority);
    if (name !== by.name || key !== by.key || of !== mesh)
      throw coordinatorError('SB-COORD-UNSIGNED', `the certificate is not ${by.name}'s in mesh ${mesh}`);
    if (rule && fitsRole(by.role, rule) && !fitsRole(role, rule))
      throw coordinatorError('SB-COORD-UNSIGNED', `for ${host}, ${by.name} is ${role} and may not approve ${step}`);
    if (expiresAtMs <= nowMs)
      throw coordinatorError(
        'SB-COORD-UNSIGNED',
        `the certificate of ${by.name} ended at ${new Date(expiresAtMs).toISOString()}`,
      );
  }
}
