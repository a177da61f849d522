import {
  type ApprovalSignature,
  DEFAULTS,
  fitsRole,
  type NeededApproval,
  type OperatorCertificate,
  type PlannedAction,
  type PlanSignature,
  SignalboxError,
  type SignedApproval,
} from '@signalbox/protocol';

/** Whether people have agreed to what a planned action comes after: why not; undefined: they have. */
export type Agreements = (planned: PlannedAction, given: readonly SignedApproval[], to: AgreedTo) => string | undefined;

/** The run that they have to have agreed to, as its starter has signed it. */
export interface AgreedTo {
  readonly signature: PlanSignature;
  readonly starter: OperatorCertificate;
  readonly nowMs: number;
  /** Approvals that something has been begun behind in this run: those are not looked at for a certificate's end again. */
  readonly relied: ReadonlySet<string>;
  /** On the way back: what has ended meanwhile does not close it. */
  readonly back: boolean;
}

interface Agreement {
  readonly said: ApprovalSignature;
  readonly person: OperatorCertificate;
}

/** `people` reads what the authority of the mesh says of somebody, `read` what somebody has signed with a key. */
export function createAgreements(
  people: (certificate: string) => OperatorCertificate,
  read: (signature: string, key: string) => ApprovalSignature,
): Agreements {
  function agreement({ signature, certificate }: SignedApproval): Agreement | string {
    try {
      const person = people(certificate);
      return { person, said: read(signature, person.key) };
    } catch (error) {
      if (error instanceof SignalboxError) return error.message;
      throw error;
    }
  }

  return ({ approvals: needed = [] }, given, to) => {
    const read = needed.length === 0 ? [] : given.map(agreement);
    for (const rule of needed) {
      const lasts = to.back || to.relied.has(rule.step);
      const judged = read.map((one) => (typeof one === 'string' ? one : judge(one, rule, { ...to, lasts })));
      const good = judged.filter((one) => typeof one === 'object');
      if (isEnough(good, rule)) continue;
      const whys = judged.filter((one) => typeof one === 'string');
      return [`${rule.step} has not been approved as the plan wants it`, ...whys].join('; ');
    }
    return undefined;
  };
}

/** The agreement, or why it does not count; undefined: it is about another step. */
function judge(
  agreement: Agreement,
  rule: NeededApproval,
  { signature, starter, nowMs, lasts }: AgreedTo & { lasts: boolean },
): Agreement | string | undefined {
  const { said, person } = agreement;
  if (said.step !== rule.step) return undefined;
  const { mesh, start, plan } = signature;
  if (person.mesh !== mesh || said.mesh !== mesh) return `${person.name} has agreed in another mesh`;
  if (said.start !== start || said.plan !== plan) return `${person.name} has agreed to another run`;
  if (!fitsRole(person.role, rule)) return `${person.name} is ${person.role}`;
  if (rule.notSubmitter && isSame(person, starter)) return `${person.name} has started the run`;
  if (!lasts && person.expiresAtMs <= nowMs) return `the certificate of ${person.name} has ended`;
  return agreement;
}

/** So many different people, and none of them so long before another that what they said was over by then. */
function isEnough(good: readonly Agreement[], { count, validForMs }: NeededApproval): boolean {
  const withinMs = validForMs === undefined ? Number.POSITIVE_INFINITY : validForMs + DEFAULTS.approvalSlackMs;
  return good.some(({ said: { signedAtMs } }) => {
    const together = good.filter(({ said }) => {
      return said.signedAtMs >= signedAtMs && said.signedAtMs - signedAtMs <= withinMs;
    });
    const people = together.filter((one, i) => !together.slice(0, i).some((other) => isSame(one.person, other.person)));
    return people.length >= count;
  });
}

function isSame(a: OperatorCertificate, b: OperatorCertificate): boolean {
  return a.key === b.key || a.name === b.name;
}
