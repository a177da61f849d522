import { readFile } from 'node:fs/promises';
import { type HostContext, SecretRef } from '@signalbox/protocol';
import { postgresClientConfig, readPostgresUri } from '@signalbox/protocol/readings';
import type { Client } from 'pg';
import { z } from 'zod';
import { probeError } from '../codes.ts';

export type Connection = z.infer<typeof Connection>;
export const Connection = z.strictObject({ uri: SecretRef, caFile: z.string().startsWith('/').optional() });

/** One read-only session. @throws SB-PROBE-POSTGRES */
export async function withClient<T>(
  context: HostContext,
  { uri, caFile }: Connection,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const address = readPostgresUri(await context.secret(uri));
  if (!address) throw probeError('SB-PROBE-POSTGRES', `${uri.$secret} names no PostgreSQL database`);
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  // Loaded when somebody asks: an idle agent does without it.
  const { default: pg } = await import('pg');
  const client = new pg.Client(postgresClientConfig(address, ca));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SET default_transaction_read_only = on');
    return await use(client);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw probeError('SB-PROBE-POSTGRES', `${address.database} on ${address.host}: ${said}`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}
