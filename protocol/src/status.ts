import { z } from 'zod';
import { Failure } from './failure.ts';
import { Json } from './json.ts';
import { wire } from './wire.ts';

/** What monitoring may subscribe to: CloudEvents 1.0, structured JSON, on `sb.<mesh>.status.>`. At least once. */
export const STATUS_EVENTS = {
  'dev.signalbox.host.health': {
    subject: 'status.host.<host>',
    data: wire({
      host: z.string(),
      state: z.enum(['online', 'late', 'silent', 'never']),
      labels: z.record(z.string(), z.string()),
      cpuPercent: z.number().optional(),
      memoryPercent: z.number().optional(),
      agentRssBytes: z.int().optional(),
      skewMs: z.number().optional(),
      running: z.array(z.string()),
    }),
  },
  'dev.signalbox.run.changed': {
    subject: 'status.run.<run>',
    data: wire({
      run: z.string(),
      runbook: z.string(),
      status: z.string(),
      reversible: z.boolean(),
      owner: z.string(),
      reasons: z.array(Failure).optional(),
    }),
  },
  'dev.signalbox.step.changed': {
    subject: 'status.step.<run>',
    data: wire({
      run: z.string(),
      step: z.string(),
      host: z.string().nullable(),
      direction: z.enum(['do', 'undo']),
      attempt: z.int(),
      phase: z.string(),
      failure: Failure.optional(),
    }),
  },
  'dev.signalbox.gate.sampled': {
    subject: 'status.gate.<run>',
    data: wire({
      run: z.string(),
      step: z.string(),
      host: z.string(),
      values: z.record(z.string(), Json),
      heldMs: z.number(),
      forMs: z.number(),
    }),
  },
  'dev.signalbox.page': {
    subject: 'status.page.<run>',
    data: wire({
      run: z.string(),
      why: z.enum(['held', 'approval-wanted', 'fence-broken', 'gate-past-half', 'budget-passed', 'manual-wanted']),
      message: z.string(),
      next: z.string(),
      repeat: z.int(),
    }),
  },
} as const;

export type StatusEventType = keyof typeof STATUS_EVENTS;
export type StatusData<T extends StatusEventType> = z.infer<(typeof STATUS_EVENTS)[T]['data']>;

/** CloudEvents 1.0 in its JSON form. `id` = run and position in the log where there is one, so copies can be told. */
export type CloudEvent<T extends StatusEventType = StatusEventType> = {
  specversion: '1.0';
  id: string;
  source: string;
  type: T;
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  data: StatusData<T>;
};
