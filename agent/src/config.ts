import { DEFAULTS, HostName, MeshName, PRIVILEGES, parseDuration } from '@signalbox/protocol';
import { isPublicKey } from '@signalbox/protocol/crypto';
import { besideFile, loadSettings } from '@signalbox/settings';
import { z } from 'zod';
import { DEFAULT_PATH } from './executor/environment.ts';

const Duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'a duration such as 250ms, 30s, 5m or 1h30m' });
  return z.NEVER;
});

const Server = z.string().regex(/^(nats|tls|wss?):\/\/\S+$/, 'an address such as nats://127.0.0.1:4222');
const PublicKey = z.string().refine(isPublicKey, 'a public nkey (U...)');

/** agent.yaml. Relative paths are relative to the file itself. */
export type AgentConfig = z.infer<typeof AgentConfig>;
export const AgentConfig = z.strictObject({
  mesh: MeshName,
  name: HostName,
  servers: z.array(Server).min(1, 'at least one NATS server'),
  /** Authorities in PEM that the server's certificate is checked with; given, NATS is reached over TLS only. */
  caFile: z.string().min(1).optional(),
  seedFile: z.string().min(1),
  /** User JWT or creds file, for a NATS that knows its users by JWT; the key stays that of `seedFile`. */
  jwtFile: z.string().min(1).optional(),
  stateDir: z.string().min(1),
  labels: z.record(z.string(), z.string()).default({}),
  trust: z.strictObject({
    coordinators: z.array(PublicKey).min(1, 'at least one public key of a coordinator'),
    /** Who vouches for operators: nothing is done that none of them has signed. Left out: coordinators are obeyed. */
    authority: z.string().refine(isPublicKey, 'a public nkey (A...)').optional(),
  }),
  /** PATH of everything that actions and probes start. */
  path: z.string().min(1).default(DEFAULT_PATH),
  /** What the host's owner allows; left out: everything. */
  policy: z.string().min(1).optional(),
  /** How many steps run at once. */
  concurrency: z.int().min(1).max(64).default(4),
  /** Bound of a child's output file, and of what one step publishes. */
  outputCapBytes: z.int().min(65_536).default(4_194_304),
  /** Each process of a step in a transient unit of its own, where systemd is there; else beside the agent. */
  stepUnits: z.boolean().default(true),
  /** How long running steps may go on after SIGTERM before the agent leaves without them. */
  stopTimeout: Duration.default(20_000),
  /**
   * `runner`: another process, as a user of its own, speaks to the network. `root`: this one does. Left out: `runner` where systemd
   * hands over the socket for it, as the units of the package do.
   */
  privileges: z.enum(PRIVILEGES).optional(),
  /** Clocks further apart than this: nothing is started [I7]. */
  maxSkew: Duration.default(DEFAULTS.maxSkewMs),
});

/** Reads agent.yaml; paths in it are made absolute. @throws SB-CFG-* with file, line and column. */
export function loadConfig(path: string): AgentConfig {
  const config = loadSettings(path, AgentConfig);
  return {
    ...config,
    seedFile: besideFile(path, config.seedFile),
    stateDir: besideFile(path, config.stateDir),
    ...(config.policy === undefined ? {} : { policy: besideFile(path, config.policy) }),
  };
}
