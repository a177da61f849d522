import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostContext, SecretRef, SignalboxError } from '@signalbox/protocol';
import {
  POSTGRES_APPLICATION,
  type PostgresAddress,
  postgresClientConfig,
  readPostgresUri,
} from '@signalbox/protocol/readings';
import type { Client } from 'pg';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { HostPath } from '../support/files.ts';

/** A parameter of the type `postgres`; the URI itself is read on the host and goes nowhere else [I9]. */
export type Connection = z.infer<typeof Connection>;
export const Connection = z.strictObject({ uri: SecretRef, caFile: HostPath.optional() });

/** @throws SB-ACT-POSTGRES-URI, which quotes nothing of it. */
export async function addressOf(context: HostContext, { uri }: Connection): Promise<PostgresAddress> {
  const address = readPostgresUri(await context.secret(uri));
  if (!address) throw actionError('SB-ACT-POSTGRES-URI', `${uri.$secret} names no PostgreSQL database`);
  return address;
}

/**
 * One session, for as long as `use` takes. `database` other than the connection's own is for work on databases as a whole.
 * @throws SB-ACT-POSTGRES with what the server said, without the statement: it may hold data.
 */
export async function withClient<T>(
  context: HostContext,
  connection: Connection,
  use: (client: Client, address: PostgresAddress) => Promise<T>,
  database?: string,
): Promise<T> {
  const address = await addressOf(context, connection);
  const ca = connection.caFile === undefined ? undefined : await readFile(connection.caFile, 'utf8');
  // Loaded by the first step that needs it: an idle agent does without.
  const { default: pg } = await import('pg');
  const config = postgresClientConfig({ ...address, database: database ?? address.database }, ca);
  const client = new pg.Client(config);
  // A session that breaks says so in the query that is under way; unheard, the event would end the agent.
  client.on('error', () => undefined);
  const leave = () => void client.end().catch(() => undefined);
  context.signal.addEventListener('abort', leave, { once: true });
  let connected = false;
  try {
    await client.connect();
    connected = true;
    return await use(client, address);
  } catch (error) {
    throw asPostgresError(error, { ...address, connected });
  } finally {
    context.signal.removeEventListener('abort', leave);
    await client.end().catch(() => undefined);
  }
}

function asPostgresError(
  error: unknown,
  { host, database, connected }: PostgresAddress & { connected: boolean },
): unknown {
  if (!(error instanceof Error) || error instanceof SignalboxError) return error;
  const said = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  const where = `${database} on ${host}`;
  // Five characters are SQLSTATE, the server's own word, and then nothing of the transaction was kept.
  if (/^[0-9A-Z]{5}$/.test(said)) {
    return actionError('SB-ACT-POSTGRES', `${where}: ${error.message} (${said})`, { cause: error });
  }
  const code = connected ? 'SB-ACT-POSTGRES-LOST' : 'SB-ACT-POSTGRES-UNREACHABLE';
  return actionError(code, `${where}: ${said}`, { cause: error });
}

/** What PostgreSQL's own programs are started with: the connection as a service file, so that no argv has the password. */
export interface Service {
  env: Record<string, string>;
  address: PostgresAddress;
}

/** `database` as in withClient. The file is readable by the agent alone and is gone when `use` is over. */
export async function withService<T>(
  context: HostContext,
  connection: Connection,
  use: (service: Service) => Promise<T>,
  database?: string,
): Promise<T> {
  const address = await addressOf(context, connection);
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-pg-'));
  try {
    const file = join(folder, 'service.conf');
    await writeFile(file, serviceText({ ...address, database: database ?? address.database }, connection.caFile), {
      mode: 0o600,
    });
    return await use({ env: { PGSERVICEFILE: file, PGSERVICE: 'signalbox' }, address });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function serviceText({ host, port, user, password, database, sslmode }: PostgresAddress, caFile?: string): string {
  const settings: [string, string | undefined][] = [
    ['host', host],
    ['port', String(port)],
    ['user', user || undefined],
    ['password', password],
    ['dbname', database],
    ['sslmode', sslmode ?? (caFile === undefined ? undefined : 'verify-full')],
    ['sslrootcert', caFile],
    ['application_name', POSTGRES_APPLICATION],
  ];
  const lines = settings.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  if (lines.some((line) => /[\r\n]/.test(line))) {
    throw actionError('SB-ACT-POSTGRES-URI', 'a line break in a connection cannot be given to its programs');
  }
  return `[signalbox]\n${lines.join('\n')}\n`;
}

/** An SQL identifier, quoted. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
