import { z } from 'zod';
import { Effect } from './catalogue.ts';
import { Condition } from './condition.ts';
import { Json, JsonObject } from './json.ts';
import { HostName, MeshName } from './names.ts';
import { wire } from './wire.ts';

/**
 * A value that only the run can know, resolved when the step is dispatched.
 * `$step`: field `path` of what step instance `$step` on `host` (null: the step has no host) returned.
 * `$run`: a fact of the run itself. `$join`: text with such values inside.
 */
export type Reference = z.infer<typeof Reference>;
export const Reference = z.union([
  z.strictObject({
    $step: z.string(),
    host: HostName.nullable(),
    from: z.enum(['receipt', 'values']),
    path: z.array(z.string()),
  }),
  z.strictObject({ $run: z.literal('id') }),
]);

/** An exclusive resource that a step brings up, and how the others are proven not to have it [I10]. */
export type ExclusiveGuard = z.infer<typeof ExclusiveGuard>;
export const ExclusiveGuard = wire({
  resource: z.string(),
  /** The direction of the step in which the resource comes up here. */
  direction: z.enum(['do', 'undo']),
  probe: z.string(),
  with: JsonObject,
  hosts: z.array(HostName),
  until: Condition,
});

const Base = {
  /** Instance path: unique in the plan, part of every command's id. */
  id: z.string(),
  /** Number on screen 1. Instances of one written step share it. */
  number: z.int(),
  /** 1-based line in the runbook. */
  line: z.int(),
  /** Passed only on the way back, at its place. */
  only: z.literal('undo').optional(),
  /** Resolved away by `when` or an offline host with `offline: skip`; the reason. */
  skip: z.string().optional(),
};

export type Retry = z.infer<typeof Retry>;
export const Retry = wire({
  attempts: z.int().min(1),
  backoffMs: z.int().min(0),
  retryOn: z.array(z.string()),
});

export type ActionTarget = z.infer<typeof ActionTarget>;
export const ActionTarget = wire({
  host: HostName,
  with: JsonObject,
  /** Screen 1, resolved for this host. */
  does: z.string(),
  undoes: z.string().optional(),
  touches: z.array(z.string()),
  exclusive: z.array(ExclusiveGuard).default([]),
});

export type ActionStep = z.infer<typeof ActionStep>;
export const ActionStep = wire({
  ...Base,
  kind: z.literal('action'),
  action: z.string(),
  version: z.int(),
  effect: Effect,
  /** Whether an undo exists for this step as written. */
  reversible: z.boolean(),
  leaves: z.string().optional(),
  /** The command line that takes it back without Signalbox, to be filled in; see `commandByHand`. */
  byHand: z.string().optional(),
  targets: z.array(ActionTarget),
  timeoutMs: z.int(),
  retry: Retry,
});

export type GateTarget = z.infer<typeof GateTarget>;
export const GateTarget = wire({
  host: HostName,
  with: JsonObject,
  until: Condition,
  failIf: Condition.optional(),
});

export type GateStep = z.infer<typeof GateStep>;
export const GateStep = wire({
  ...Base,
  kind: z.literal('gate'),
  probe: z.string(),
  targets: z.array(GateTarget),
  forMs: z.int(),
  everyMs: z.int(),
  timeoutMs: z.int(),
  /** What a timeout and a met `failIf` lead to on the way forward; on the way back both hold. */
  onTimeout: z.enum(['hold', 'rollback']),
  /** How long samples may be missing before the window is broken. */
  tolerateMs: z.int(),
  once: z.boolean(),
  /** A fence: goes on being watched until that step instance starts. */
  fence: wire({ until: z.string(), onBreak: z.enum(['hold', 'rollback']) }).optional(),
  /** Fences whose break makes this gate's answer void. */
  validWhile: z.array(z.string()),
});

export type RecordStep = z.infer<typeof RecordStep>;
export const RecordStep = wire({
  ...Base,
  kind: z.literal('record'),
  probe: z.string(),
  targets: z.array(wire({ host: HostName, with: JsonObject })),
  timeoutMs: z.int(),
});

export type ApprovalRule = z.infer<typeof ApprovalRule>;
export const ApprovalRule = wire({
  count: z.int().min(1),
  role: z.string().optional(),
  notSubmitter: z.boolean(),
  validForMs: z.int().optional(),
  message: z.string().optional(),
});

export type ApprovalStep = z.infer<typeof ApprovalStep>;
export const ApprovalStep = wire({ ...Base, kind: z.literal('approval'), approve: ApprovalRule });

export type ManualStep = z.infer<typeof ManualStep>;
export const ManualStep = wire({
  ...Base,
  kind: z.literal('manual'),
  do: z.string(),
  undo: z.string().optional(),
  expectMs: z.int().optional(),
  /** An item of a checklist that a person confirms: nothing is changed, so nothing is taken back. */
  changes: z.literal(false).optional(),
});

export type PointOfNoReturnStep = z.infer<typeof PointOfNoReturnStep>;
export const PointOfNoReturnStep = wire({
  ...Base,
  kind: z.literal('pointOfNoReturn'),
  statement: z.string(),
  /** Step instances of gates, groups already resolved into the gates inside them. */
  guards: z.array(z.string()),
  approve: ApprovalRule.optional(),
});

export type LeafStep = ActionStep | GateStep | RecordStep | ApprovalStep | ManualStep | PointOfNoReturnStep;
export const LeafStep = z.discriminatedUnion('kind', [
  ActionStep,
  GateStep,
  RecordStep,
  ApprovalStep,
  ManualStep,
  PointOfNoReturnStep,
]);

/** When a group or the step in it may begin, and by when it must be decided. Wall clock, epoch milliseconds. */
export type Timing = z.infer<typeof Timing>;
export const Timing = wire({
  notBeforeMs: z.int().optional(),
  decideByMs: z.int().optional(),
  onDeadline: z.enum(['hold', 'rollback']).optional(),
  timeoutMs: z.int().optional(),
});

/**
 * Steps in order (`serial`) or at once (`parallel`, at most `limit` of them). `forEach` becomes a group whose children
 * are its instances; a batched step becomes a `batches` group whose children are the same steps for one share of the
 * hosts each: a host that fails inside one is undone within it and dropped, up to `maxFailures` in all.
 */
export type GroupStep = z.infer<typeof Base_> & {
  kind: 'group';
  mode: 'serial' | 'parallel' | 'batches';
  limit?: number | undefined;
  maxFailures?: number | undefined;
  timing?: Timing | undefined;
  /** True for the group that a `forEach` made; its id is the written step's, without an item. */
  forEach?: boolean | undefined;
  /** What is in it is listed by the report, item by item. */
  checklist?: boolean | undefined;
  children: PlanStep[];
};
const Base_ = wire(Base);
export type PlanStep = LeafStep | GroupStep;

export const GroupStep: z.ZodType<GroupStep> = wire({
  ...Base,
  kind: z.literal('group'),
  mode: z.enum(['serial', 'parallel', 'batches']),
  limit: z.int().min(1).optional(),
  maxFailures: z.int().min(0).optional(),
  timing: Timing.optional(),
  forEach: z.boolean().optional(),
  checklist: z.boolean().optional(),
  get children(): z.ZodType<PlanStep[]> {
    return z.array(PlanStep);
  },
}) as unknown as z.ZodType<GroupStep>;
export const PlanStep: z.ZodType<PlanStep> = z.lazy(() => z.union([LeafStep, GroupStep])) as z.ZodType<PlanStep>;

/** A host as it was when the plan was made; a command is refused by any other machine or journal of that name [D2]. */
export type PlanHost = z.infer<typeof PlanHost>;
export const PlanHost = wire({
  name: HostName,
  labels: z.record(z.string(), z.string()),
  journal: z.string(),
  machine: z.string(),
  key: z.string(),
});

/** A maintenance window. Wall clock of the coordinator, epoch milliseconds. */
export type Window = z.infer<typeof Window>;
export const Window = wire({ notBeforeMs: z.int().optional(), notAfterMs: z.int().optional() });

export type DowntimeClock = z.infer<typeof DowntimeClock>;
export const DowntimeClock = wire({
  name: z.string(),
  /** Written step ids; the clock runs from the first start of one to the success of the other. */
  from: z.string(),
  to: z.string(),
  budgetMs: z.int().optional(),
  onBudget: z.enum(['warn', 'hold', 'rollback']),
});

/** What a live check found when the plan was made; `start` looks again and refuses what has drifted. */
export type Observation = z.infer<typeof Observation>;
export const Observation = wire({
  step: z.string(),
  host: HostName,
  /** Before-receipt of an action's check, or the values of a probe. */
  seen: JsonObject,
  /** For the screen: `replicas 3`, `now 61h`. */
  note: z.string().optional(),
});

/** A file that a plan was made from, as whoever made it had it. */
export type RunbookFile = z.infer<typeof RunbookFile>;
export const RunbookFile = wire({
  /** Seen from the folder of the runbook. */
  name: z.string(),
  text: z.string(),
});

/** A runbook resolved against parameters and live hosts. Its exact text is what is hashed, reviewed and started. */
export type Plan = z.infer<typeof Plan>;
export const Plan = wire({
  signalboxPlan: z.literal(1),
  mesh: MeshName,
  runbook: wire({ name: z.string(), summary: z.string(), sha256: z.string() }),
  madeAtMs: z.int(),
  madeBy: z.string(),
  /** Resolved parameters; a secret is its reference. */
  params: z.record(z.string(), Json),
  hosts: z.array(PlanHost),
  roles: z.record(z.string(), z.array(HostName)),
  onFailure: z.enum(['rollback', 'hold']),
  /** What a start does while another open run has something that this plan changes; refused unless given. */
  whenBusy: z.enum(['wait', 'refuse']).optional(),
  /** Outside of it no step is begun on the way forward; undo is not bound by it. */
  window: Window.optional(),
  downtime: z.array(DowntimeClock),
  steps: z.array(PlanStep),
  observed: z.array(Observation),
  findings: wire({ errors: z.int(), warnings: z.int() }),
  /** The runbook, first, and what it includes. What was asked for at once, or takes another run back, was made from none. */
  sources: z.array(RunbookFile).optional(),
});
