import { z } from 'zod';
import { Critical } from './envelope.ts';
import { JsonObject } from './json.ts';
import { Direction, HostName, MeshName, StartId } from './names.ts';
import { ApprovalRule } from './plan.ts';
import { wire } from './wire.ts';

/** What the authority of a mesh says of a person: this key is theirs, and this is what they may ask for. */
export type OperatorCertificate = z.infer<typeof OperatorCertificate>;
export const OperatorCertificate = wire({
  mesh: MeshName,
  name: HostName,
  key: z.string(),
  role: z.string(),
  issuedAtMs: z.int(),
  /** Nothing new is begun with this key after that moment. */
  expiresAtMs: z.int(),
  critical: Critical,
});

/** Roles in whose name hosts act. */
export const STARTERS: ReadonlySet<string> = new Set(['operator', 'admin']);

/** What an operator signs to have a plan carried out: once, as the run of that start. */
export type PlanSignature = z.infer<typeof PlanSignature>;
export const PlanSignature = wire({
  mesh: MeshName,
  start: StartId,
  /** SHA-256 of the plan's exact text. */
  plan: z.string(),
  /** Merkle root of the texts of its planned actions, in their order. */
  actions: z.string(),
  signedAtMs: z.int(),
  critical: Critical,
});

/** Roles that may agree to something, where a rule names none. */
const APPROVERS: ReadonlySet<string> = new Set(['approver', 'operator', 'admin']);

/** Whether somebody of that role may give an approval of that rule. */
export function fitsRole(role: string | undefined, rule: Pick<ApprovalRule, 'role'>): boolean {
  return role !== undefined && APPROVERS.has(role) && (rule.role === undefined || [rule.role, 'admin'].includes(role));
}

/** An approval that a planned action comes after, and who has to give it. */
export type NeededApproval = z.infer<typeof NeededApproval>;
const { count, role, notSubmitter, validForMs } = ApprovalRule.shape;
export const NeededApproval = wire({ step: z.string(), count, role, notSubmitter, validForMs });

/** What a person signs who agrees: to this step of this plan, for the run of this start and no other. */
export type ApprovalSignature = z.infer<typeof ApprovalSignature>;
export const ApprovalSignature = wire({
  mesh: MeshName,
  start: StartId,
  /** SHA-256 of the plan's exact text. */
  plan: z.string(),
  step: z.string(),
  signedAtMs: z.int(),
  critical: Critical,
});

/** Where a planned action takes values from, and by what they are known to be that step's. */
export type Source = z.infer<typeof Source>;
export const Source = wire({
  step: z.string(),
  host: HostName,
  /** The host's public key, as the plan has it. */
  key: z.string(),
  /** Of values: how they are measured. */
  sample: wire({ probe: z.string(), with: JsonObject }).optional(),
});

/**
 * All that a plan has one host do in one step. Whoever has signed the plan has signed this text, as one leaf of a tree: a
 * host needs no more of the plan to know that it is asked for nothing else.
 */
export type PlannedAction = z.infer<typeof PlannedAction>;
export const PlannedAction = wire({
  step: z.string(),
  host: HostName,
  journal: z.string(),
  machine: z.string(),
  action: z.string(),
  version: z.int(),
  /** As in the plan: what only the run knows is still a reference. */
  with: JsonObject,
  directions: z.array(Direction),
  /** The point of no return that it waits for: its command carries the votes. */
  behind: z.string().optional(),
  sources: z.array(Source).optional(),
  /** What people have to agree to before it is done: its command carries their signatures. */
  approvals: z.array(NeededApproval).optional(),
  /** Done on the way back only. */
  only: z.literal('undo').optional(),
});

/** One step from a leaf up to the root: the hash that it is joined with there, and on which side that stands. */
export type MerkleStep = z.infer<typeof MerkleStep>;
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
export const MerkleStep = z.union([z.strictObject({ left: Hash }), z.strictObject({ right: Hash })]);

/** An operator's signature on a plan, and the authority's word for whoever signed: sealed messages, as text. */
export type SignedStart = z.infer<typeof SignedStart>;
export const SignedStart = wire({ signature: z.string(), certificate: z.string() });

/** A person's signature on an approval, and the authority's word for that person: sealed messages, as text. */
export type SignedApproval = z.infer<typeof SignedApproval>;
export const SignedApproval = wire({ signature: z.string(), certificate: z.string() });

/** That a command belongs to a plan which an operator signed. */
export type Proof = z.infer<typeof Proof>;
export const Proof = wire({
  ...SignedStart.shape,
  /** The exact text of the planned action, and its way up to the root that was signed. */
  action: z.string(),
  path: z.array(MerkleStep),
  /** Of the approvals that it comes after. */
  approvals: z.array(SignedApproval).optional(),
});
