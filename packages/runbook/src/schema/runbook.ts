import { z } from 'zod';
import { GateShape, StepShape } from './step.ts';
import { Duration, Free, Labels, Moment, Name, StepPath, Text, Word } from './values.ts';

export const PARAM_TYPES = [
  'string',
  'integer',
  'boolean',
  'duration',
  'time',
  'url',
  'hostPath',
  'sha256',
  'secret',
  'list',
  'mongodb',
  'kafka',
  'kubernetes',
  'postgres',
] as const;
export type ParamType = (typeof PARAM_TYPES)[number];

const TypeName = z.enum(PARAM_TYPES).meta({ title: 'a type' });
const FieldShape = z.union([
  TypeName,
  z.strictObject({ type: TypeName, default: Free.optional(), help: Text.optional() }),
]);

export const ParamShape = z.strictObject({
  type: TypeName,
  of: z
    .union([TypeName, z.record(Word, FieldShape)])
    .optional()
    .describe('Of a list: the type of its items, or their fields'),
  default: Free.optional(),
  help: Text.optional(),
});
const Params = z.record(Word, ParamShape);
const Gates = z.record(Word, GateShape);

const RoleShape = z.strictObject({
  match: Labels.describe('The labels that an enrolled host must have'),
  count: z
    .union([z.int().min(1), z.strictObject({ min: z.int().min(0).optional(), max: z.int().min(1).optional() })])
    .optional()
    .meta({ title: 'a number, or { min, max }' }),
  offline: z.enum(['refuse', 'skip']).optional().describe('refuse unless given'),
});

const ExclusiveShape = z.strictObject({
  unit: z.string().describe('What may be active on one host only'),
  among: Labels.describe('The hosts that could have it'),
  still: z.string().optional().describe('A probe whose `height` must stand still elsewhere'),
});

const WindowShape = z
  .strictObject({
    notBefore: Moment.optional().describe('No step is begun before; the run may be started earlier and waits'),
    notAfter: Moment.optional().describe('No step is begun after; the run is held. Undo is not bound by it'),
  })
  .meta({ title: 'a window, such as { notBefore: 2026-11-21T02:00:00+01:00, notAfter: 2026-11-21T05:00:00+01:00 }' });

const DowntimeShape = z.strictObject({
  from: StepPath,
  to: StepPath,
  budget: Duration.optional(),
  onBudget: z.enum(['warn', 'hold', 'rollback']).optional().describe('warn unless given'),
});

const Metadata = z.strictObject({ name: Name, summary: Text.optional() });
const Steps = z.array(StepShape).min(1).meta({ title: 'a list of steps' });

/** The document that an operator writes. */
export const RunbookShape = z.strictObject({
  apiVersion: z.literal('signalbox/v1'),
  kind: z.literal('Runbook'),
  metadata: Metadata,
  spec: z.strictObject({
    params: Params.optional(),
    hosts: z.record(Word, RoleShape).optional().describe('Roles, bound to enrolled hosts when a plan is made'),
    exclusive: z.record(Word, ExclusiveShape).optional(),
    window: WindowShape.optional(),
    downtime: z.record(Word, DowntimeShape).optional(),
    gates: Gates.optional(),
    onFailure: z.enum(['rollback', 'hold']).optional().describe('After a failed action; rollback unless given'),
    whenBusy: z
      .enum(['wait', 'refuse'])
      .optional()
      .describe('While another run has what this one would change; refuse unless given'),
    steps: Steps,
  }),
});

/** What `include` reads: steps with parameters of their own. Hosts, clocks and exclusive things belong to the runbook. */
export const StepsShape = z.strictObject({
  apiVersion: z.literal('signalbox/v1'),
  kind: z.literal('Steps'),
  metadata: Metadata.optional(),
  spec: z.strictObject({ params: Params.optional(), gates: Gates.optional(), steps: Steps }),
});
