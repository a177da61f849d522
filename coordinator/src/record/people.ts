import { type Actor, type LogEntry, OperatorCertificate, type RunEvent, type SignedStart } from '@signalbox/protocol';
import { open, readApprovalSignature, readPlanSignature, sha256 } from '@signalbox/protocol/crypto';
import { cliError } from '../cli/codes.ts';

/** What people have signed of a run. */
export interface SignedByPeople {
  /** Whoever has started it has signed its plan. */
  readonly start: boolean;
  /** Of how many the log tells, and how many of them are signed by who has given them. */
  readonly approvals: { readonly told: number; readonly signed: number };
  /** Keys of those whose word the certificates of these people are. */
  readonly authorities: readonly string[];
}

interface Asked {
  readonly entries: readonly LogEntry[];
  readonly planText: string;
  /** The public key that speaks for people; undefined: any does, and is named. */
  readonly authority: string | undefined;
}

interface Claim {
  readonly what: string;
  readonly by: Actor;
  readonly signed: SignedStart;
  readonly read: (text: string, publicKey: string) => object;
  readonly wanted: object;
}

type Created = Extract<RunEvent, { type: 'RunCreated' }>;
type Given = Extract<RunEvent, { type: 'ApprovalGiven' }>;

/**
 * Proves that people have signed what the log says of them: the start of this plan, and approvals. What nobody has signed, because
 * hosts take the coordinator's word for it, is counted and not refused.
 * @throws SB-CLI-VERIFY-PEOPLE
 */
export function signedByPeople({ entries, planText, authority }: Asked): SignedByPeople {
  const events = entries.flatMap((entry) => entry.events);
  const created = events.find((event): event is Created => event.type === 'RunCreated');
  const given = events.filter((event): event is Given => event.type === 'ApprovalGiven');
  if (created?.signed === undefined) {
    return { start: false, approvals: { told: given.length, signed: 0 }, authorities: [] };
  }
  const { mesh, start, by, signed } = created;
  const wanted = { mesh, start, plan: sha256(planText) };
  const approvals = given.flatMap((event): Claim[] => {
    if (event.signed === undefined) return [];
    const claim = { what: `the approval of ${event.step}`, by: event.by, signed: event.signed };
    return [{ ...claim, read: readApprovalSignature, wanted: { ...wanted, step: event.step } }];
  });
  const claims = [{ what: 'the start', by, signed, read: readPlanSignature, wanted }, ...approvals];
  return {
    start: true,
    approvals: { told: given.length, signed: approvals.length },
    authorities: [...new Set(claims.map((claim) => voucherOf(claim, { mesh, authority })))],
  };
}

/** @returns the key whose word the certificate is. */
function voucherOf(
  { what, by, signed, read, wanted }: Claim,
  { mesh, authority }: { mesh: string; authority: string | undefined },
): string {
  const trusts = (key: string) => authority === undefined || key === authority;
  try {
    const said = read(signed.signature, by.key);
    const other = Object.entries(wanted).find(([name, value]) => Reflect.get(said, name) !== value);
    if (other) throw new Error(`${by.name} has signed it for another ${other[0]}`);
    const about = { kind: 'certificate', schema: OperatorCertificate, trusts } as const;
    const { payload, keys } = open(Buffer.from(signed.certificate), about);
    if (payload.name !== by.name || payload.key !== by.key || payload.mesh !== mesh)
      throw new Error(`the certificate is not that of ${by.name} in ${mesh}`);
    return keys.find(trusts) ?? '';
  } catch (cause) {
    throw cliError('SB-CLI-VERIFY-PEOPLE', `${what}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
