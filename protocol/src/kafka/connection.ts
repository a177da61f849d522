import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HostContext } from '../host.ts';
import { SecretRef } from '../secret.ts';

type Mechanism = z.infer<typeof Mechanism>;
const Mechanism = z.enum(['plain', 'scram-sha-256', 'scram-sha-512']);

/** How a Kafka cluster is reached. User name and password are references; their values are read on the host that asks. */
export type KafkaConnection = z.infer<typeof KafkaConnection>;
export const KafkaConnection = z.strictObject({
  brokers: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe('`host:port`, several as a list or with commas.'),
  username: SecretRef.optional(),
  password: SecretRef.optional(),
  mechanism: Mechanism.optional().describe('Default scram-sha-512.'),
  caFile: z.string().startsWith('/').optional().describe('Speaks TLS and trusts this CA.'),
});

/** What brokers call those who ask with `kafkaSettings`. */
export const CLIENT_ID = 'signalbox';

/** What kafkajs's `new Kafka()` takes. */
export interface KafkaSettings {
  clientId: string;
  brokers: string[];
  connectionTimeout: number;
  authenticationTimeout: number;
  requestTimeout: number;
  retry: { retries: number; initialRetryTime: number };
  ssl?: { ca: string[] };
  sasl?: Login;
}

type Login = { [M in Mechanism]: { mechanism: M; username: string; password: string } }[Mechanism];

/**
 * Reads the secrets and the CA of a connection. Times are short and tries few: whoever asks, a gate or an action with a
 * retry of its own, asks again, and a broker that is away must not be waited for in silence.
 */
export async function kafkaSettings(context: HostContext, connection: KafkaConnection): Promise<KafkaSettings> {
  const { brokers, username, password, mechanism = 'scram-sha-512', caFile } = connection;
  const sasl: Login | undefined =
    username && password
      ? { mechanism, username: await context.secret(username), password: await context.secret(password) }
      : undefined;
  return {
    clientId: CLIENT_ID,
    brokers: [brokers].flat().flatMap((text) => text.split(',').map((broker) => broker.trim())),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    retry: { retries: 2, initialRetryTime: 200 },
    ...(caFile === undefined ? {} : { ssl: { ca: [await readFile(caFile, 'utf8')] } }),
    ...(sasl && { sasl }),
  };
}
