import { type Actor, type Plan, type SignedStart, STARTERS } from '@signalbox/protocol';
import { readCertificate, readPlanSignature, sha256 } from '@signalbox/protocol/crypto';
import { signableOf } from '../signable.ts';
import { coordinatorError } from './codes.ts';
import type { Hosts } from './hosts.ts';

export interface AskedStart {
  readonly plan: Plan;
  readonly text: string;
  readonly start: string;
  readonly signed: SignedStart | undefined;
  readonly by: Actor;
}

/**
 * Refuses what the hosts of a plan would refuse at the first step: they act only on what an operator has signed, and this
 * is not signed, signed for something else, or by somebody for whom their authority does not speak.
 * @throws SB-COORD-UNSIGNED, a code of PROTOCOL_CODES
 */
export function refuseUnsigned(asked: AskedStart, { hosts, nowMs }: { hosts: Hosts; nowMs: number }): void {
  const { plan, text, start, signed, by } = asked;
  const authorities = authoritiesOf(plan, hosts);
  if (signed === undefined) {
    const [host] = authorities.values();
    if (host === undefined) return;
    throw coordinatorError('SB-COORD-UNSIGNED', `${host} acts only on plans that an operator has signed`);
  }
  const signature = readPlanSignature(signed.signature, by.key);
  const { mesh, plan: hash, actions, start: of } = signature;
  const same = mesh === plan.mesh && of === start && hash === sha256(text);
  if (!same || actions !== signableOf(plan).tree.root) {
    throw coordinatorError('SB-COORD-UNSIGNED', `${by.name} has signed another plan, or another start, than this`);
  }
  for (const [authority, host] of authorities) {
    const { key, role, expiresAtMs, mesh: of } = readCertificate(signed.certificate, authority);
    if (key !== by.key || of !== plan.mesh)
      throw coordinatorError('SB-COORD-UNSIGNED', `the certificate is not ${by.name}'s in mesh ${plan.mesh}`);
    if (!STARTERS.has(role))
      throw coordinatorError('SB-COORD-UNSIGNED', `for ${host}, ${by.name} is ${role} and starts nothing`);
    if (expiresAtMs <= nowMs)
      throw coordinatorError(
        'SB-COORD-UNSIGNED',
        `the certificate of ${by.name} ended at ${new Date(expiresAtMs).toISOString()}`,
      );
  }
}

/** Who vouches for operators at the hosts of a plan, and one host for each. None: they take a coordinator's word. */
export function authoritiesOf(plan: Plan, hosts: Hosts): ReadonlyMap<string, string> {
  return new Map(
    plan.hosts.flatMap(({ name }) => {
      const authority = hosts.get(name)?.health?.authority;
      return authority === undefined ? [] : [[authority, name] as const];
    }),
  );
}
