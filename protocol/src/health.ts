import { z } from 'zod';
import { Critical } from './envelope.ts';
import { Failure } from './failure.ts';
import { Json } from './json.ts';
import { HostName, MeshName } from './names.ts';
import { wire } from './wire.ts';

/** Who of an agent speaks to the network: a process without rights beside a runner that has them, or root itself. */
export const PRIVILEGES = ['runner', 'root'] as const;
export type Privileges = (typeof PRIVILEGES)[number];

/** A beat of an agent, every two seconds; sent as a request, so the agent learns whether a coordinator hears it. */
export type Health = z.infer<typeof Health>;
export const Health = wire({
  mesh: MeshName,
  host: HostName,
  /** One start of one agent process. Two of them alive under one name is a mistake that must be seen. */
  instance: z.string(),
  journal: z.string(),
  machine: z.string(),
  boot: z.string(),
  version: z.string(),
  labels: z.record(z.string(), z.string()),
  /** `name@version` of what this agent can do. */
  actions: z.array(z.string()),
  probes: z.array(z.string()),
  /** Facts of the host, slow to change: os, cpus, memory, disks. */
  facts: z.record(z.string(), Json),
  /** Checksum of what the host's owner allows; absent: everything is allowed there. */
  policy: z.string().optional(),
  /** The host's curve key, signed by the host itself (`HostKeys`): what secrets are sealed to. */
  keys: z.string().optional(),
  /** Public key of the authority without whose operators nothing is done there; absent: the coordinator's word is enough. */
  authority: z.string().optional(),
  /** Absent: one process for everything, and not root's; or an agent that does not say. */
  privileges: z.enum(PRIVILEGES).optional(),
  load: wire({
    cpuPercent: z.number().optional(),
    memoryPercent: z.number().optional(),
    agentRssBytes: z.int(),
  }),
  running: z.array(z.string()),
  /** The reason why this agent accepts no commands: damaged journal, failed fsync. */
  refusing: Failure.optional(),
  /** What went wrong since the last beat and has no report: messages that could not be trusted or placed. The newest few. */
  problems: z.array(Failure).optional(),
  sentAtMs: z.int(),
  critical: Critical,
});

export type HealthReply = z.infer<typeof HealthReply>;
export const HealthReply = z.discriminatedUnion('type', [
  wire({ type: z.literal('heard'), coordinator: z.string(), nowMs: z.int() }),
  wire({ type: z.literal('refused'), failure: Failure }),
]);

/** What the mesh remembers of a host between beats (key-value bucket `hosts`). */
export type HostRecord = z.infer<typeof HostRecord>;
export const HostRecord = wire({
  name: HostName,
  key: z.string(),
  /** The key that it replaces and that is not withdrawn yet. */
  former: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  health: Health.optional(),
  seenAtMs: z.int().optional(),
  /** Difference of the host's clock to the coordinator's, bounded by half the round trip. */
  skewMs: z.number().optional(),
});

export type HostState = 'online' | 'late' | 'silent' | 'never';
export const BEAT_MS = 2_000;

/** Yellow at two missed beats, silent at five. */
export function hostState(sinceMs: number | undefined): HostState {
  if (sinceMs === undefined) return 'never';
  if (sinceMs > 5 * BEAT_MS) return 'silent';
  return sinceMs > 2 * BEAT_MS + 500 ? 'late' : 'online';
}
