import { HostName, MeshName } from '@signalbox/protocol';
import { isPublicKey } from '@signalbox/protocol/crypto';
import { z } from 'zod';

const PublicKey = z.string().refine(isPublicKey, 'not a public nkey (U...)');

/** coordinator.yaml. Strict: a misspelt key is an error and not a silent default. */
export type CoordinatorConfig = z.infer<typeof CoordinatorConfig>;
export const CoordinatorConfig = z.strictObject({
  mesh: MeshName,
  /** This coordinator's name in logs and events. Each has its own. */
  name: HostName.default('coordinator-1'),
  servers: z.array(z.string()).min(1),
  /** Authorities in PEM that the server's certificate is checked with; given, NATS is reached over TLS only. */
  caFile: z.string().min(1).optional(),
  seedFile: z.string(),
  /** User JWT or creds file, for a NATS that knows its users by JWT; the key stays that of `seedFile`. */
  jwtFile: z.string().min(1).optional(),
  /** Seed of the key that `seedFile` replaces: both sign, until nobody trusts this one alone. Connects with this one meanwhile. */
  formerSeedFile: z.string().min(1).optional(),
  /** Enrolled hosts. Labels here are known before a host has ever answered; the agent's own are added to them. */
  hosts: z.record(HostName, z.strictObject({ key: PublicKey, labels: z.record(z.string(), z.string()).default({}) })),
  operators: z.record(
    z.string(),
    z.strictObject({
      key: PublicKey,
      /** The key that it replaces, which is good as well as long as it stands here. */
      former: PublicKey.optional(),
      role: z.enum(['viewer', 'operator', 'approver', 'admin']).default('operator'),
    }),
  ),
  /** Lets hosts join and go while it runs; left out: only `hosts` counts, and NATS is configured by hand. */
  enrolment: z
    .strictObject({
      /** Hosts that have joined, and tokens that are open. Written by the coordinator. */
      register: z.string().min(1),
      /** The server's configuration (JSON). The coordinator writes `accounts` in it and has the server read it again. */
      natsConfig: z.string().min(1),
      /** Seed of the user in the server's system account. */
      systemSeedFile: z.string().min(1),
      /** Public keys that may read status events. */
      monitors: z.record(HostName, PublicKey).default({}),
    })
    .optional(),
  /** `/metrics` and `/healthz`; left out: no listener. Port 0 takes a free one. */
  http: z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535) }).optional(),
  /** The server's own `/healthz`, for `doctor`: a full disk shows there first. */
  natsHealthUrl: z.url().optional(),
  /** Webhooks that are called again and again until a person acknowledges. */
  pages: z.array(z.strictObject({ url: z.url() })).default([]),
  pageEverySeconds: z.number().min(0.1).default(60),
  /** Bounds of the streams in MiB; they are set aside when JetStream starts, so a small host wants small ones. */
  streamMiB: z
    .strictObject({
      commands: z.int().min(1).optional(),
      controls: z.int().min(1).optional(),
      reports: z.int().min(1).optional(),
      outputs: z.int().min(1).optional(),
    })
    .default({}),
  /** A coordinator that does not answer for so long is taken to be gone; what it leads goes to the others. */
  leaseSeconds: z.number().min(1).max(300).default(5),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
