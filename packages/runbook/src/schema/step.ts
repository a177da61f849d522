import { OPERATORS } from '@signalbox/protocol';
import { z } from 'zod';
import { Count, Duration, Flag, Free, FreeMap, Moment, Share, StepId, StepPath, Text, Word } from './values.ts';

const Operators = z.strictObject(Object.fromEntries(OPERATORS.map((op) => [op, Free.optional()])));
export const ConditionShape = z
  .record(z.string(), Operators)
  .meta({ title: 'a condition, such as { height: { rising: true } }' });

/** What a gate is; also what a step may say beside the name of one. */
export const GateKeys = {
  until: ConditionShape.optional().describe('What must hold, every part of it'),
  failIf: ConditionShape.optional().describe('What ends the gate at once, as failed'),
  for: Duration.optional().describe('How long `until` must hold without a break'),
  every: Duration.optional().describe('How often it is sampled; 5s unless given'),
  timeout: Duration.optional().describe('10m unless given'),
  onTimeout: z.enum(['hold', 'rollback']).optional().describe('hold unless given'),
  tolerate: Duration.optional().describe('How long samples may be missing before the window is broken'),
  once: Flag.optional().describe('One good sample is enough'),
};

export const GateShape = z.strictObject({
  probe: z.string().meta({ title: 'the name of a probe' }),
  hosts: Word.optional().describe('The role that is asked'),
  with: FreeMap.optional().describe('Parameters of the probe'),
  ...GateKeys,
});

export const ApproveShape = z.strictObject({
  count: z.int().min(1).max(20).optional().describe('How many people; 1 unless given'),
  role: Word.optional().describe('Who may approve'),
  notSubmitter: Flag.optional().describe('Whoever started the run does not count'),
  validFor: Duration.optional().describe('How long an approval is good'),
  message: Text.optional().describe('What the approver reads'),
});

const ManualShape = z.strictObject({
  do: Text.describe('What the person does'),
  undo: Text.optional().describe('What the person does on the way back; without it the way back is held here'),
  expect: Duration.optional().describe('How long it should take'),
});

const PointOfNoReturnShape = z.strictObject({
  statement: Text.describe('What cannot be taken back from here on'),
  guards: z.array(StepPath).optional().describe('Gates, fences, or groups of them, that must hold at the crossing'),
  approve: ApproveShape.optional(),
});

const RecordShape = z.strictObject({
  probe: z.string().meta({ title: 'the name of a probe' }),
  with: FreeMap.optional(),
});

const ForEachShape = z.strictObject({
  in: z
    .union([z.string().meta({ title: 'a reference to a list parameter' }), z.array(Free)])
    .meta({ title: 'a list, or a reference to a list parameter' }),
  key: Word.optional().describe("The field of an item that names it: part of the instance's id"),
});

const BatchShape = z.strictObject({
  sizes: z.array(Share).min(1).describe('The last size repeats: [1, 10] is one host, then tens'),
  maxFailures: Count(0).optional().describe('How many hosts may fail and be dropped; 0 unless given'),
});

export const RetryShape = z.strictObject({
  attempts: z.int().min(1).max(20),
  backoff: Duration.optional(),
  retryOn: z.array(z.string()).optional().describe('Codes that are tried again; all retryable ones unless given'),
});

export const StepShape = z
  .strictObject({
    id: StepId.describe('Unique in the runbook'),
    hosts: Word.optional().describe('The role that the step runs on; steps inside a group inherit it'),
    when: z.union([Flag, z.string(), ConditionShape]).optional().describe('Decided once, when the plan is made'),
    only: z.literal('undo').optional().describe('Passed only on the way back, at its place'),
    forEach: ForEachShape.optional(),
    batch: BatchShape.optional(),
    parallel: z
      .union([Flag, z.int().min(1).meta({ title: 'how many at once' })])
      .optional()
      .meta({ title: 'true, or how many at once' }),
    notBefore: Moment.optional(),
    decideBy: Moment.optional(),
    onDeadline: z.enum(['hold', 'rollback']).optional(),
    checklist: Flag.optional().describe(
      'The report lists what is in here, item by item; a person’s item changes nothing',
    ),

    do: z.string().optional().describe('An action'),
    gate: z.union([Word, GateShape]).optional().meta({ title: 'a gate, or the name of one in spec.gates' }),
    record: z.union([z.string(), RecordShape]).optional().meta({ title: 'a probe, or { probe, with }' }),
    approve: ApproveShape.optional(),
    manual: ManualShape.optional(),
    pointOfNoReturn: PointOfNoReturnShape.optional(),
    get steps(): z.ZodType {
      return z.array(StepShape).min(1).meta({ title: 'a list of steps' }).optional();
    },
    include: z.string().optional().describe('A file with steps, relative to this one'),

    with: FreeMap.optional().describe('Parameters of the action, the probe or the included steps'),
    ...GateKeys,
    retry: RetryShape.optional(),
    holdUntil: StepPath.optional().describe('Makes the gate a fence: watched until that step starts'),
    onBreak: z.enum(['hold', 'rollback']).optional(),
    validWhile: z.array(StepPath).optional().describe('Fences whose break makes this answer void'),
  })
  .meta({ id: 'Step', title: 'a step' });

export const KINDS = ['do', 'gate', 'record', 'approve', 'manual', 'pointOfNoReturn', 'steps', 'include'] as const;
export type Kind = (typeof KINDS)[number];

const GATE_KEYS = Object.keys(GateKeys);
const EVERYWHERE = ['id', 'when', 'only', 'notBefore', 'decideBy', 'onDeadline'];
const REPEATED = [...EVERYWHERE, 'hosts', 'forEach', 'batch', 'parallel', 'timeout'];

/** Which keys may stand beside a kind. A point of no return may be neither skipped nor repeated for a share of the hosts. */
export const KEYS_OF: Readonly<Record<Kind, readonly string[]>> = {
  do: [...REPEATED, 'with', 'retry'],
  gate: [...REPEATED, ...GATE_KEYS, 'with', 'holdUntil', 'onBreak', 'validWhile'],
  record: [...REPEATED, 'with'],
  approve: EVERYWHERE,
  manual: [...EVERYWHERE, 'forEach', 'parallel'],
  pointOfNoReturn: ['id', 'notBefore', 'decideBy', 'onDeadline'],
  steps: [...REPEATED, 'checklist'],
  include: [...EVERYWHERE, 'hosts', 'with', 'checklist'],
};
