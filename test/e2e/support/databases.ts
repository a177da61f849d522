import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ALEMBIC_PROGRAM, findPostgres, RealPostgres, requireReal } from '@signalbox/protocol/testing';
import { onTestFinished } from 'vitest';
import { dumpLines } from '../../lab/snapshot.ts';

/** Whether what the R3MES backend needs is on this machine. */
export const realBackend =
  requireReal('PostgreSQL (Debian: postgresql)', findPostgres() !== undefined) &&
  requireReal('Alembic (Debian: alembic)', existsSync(ALEMBIC_PROGRAM)) &&
  requireReal('psycopg2 (Debian: python3-psycopg2)', works('/usr/bin/python3', '-c', 'import psycopg2'));

function works(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** A server of this test's own. */
export async function postgresOfTest(): Promise<RealPostgres> {
  const server = await RealPostgres.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** As a person types it. @returns what psql prints, unaligned and without headings. */
export function psql(server: RealPostgres, database: string, sql: string): string {
  const argv = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-', server.uri(database)];
  return output('psql', argv, sql).trim();
}

/** Everything that a database holds, in an order of its own: what must be the same again after an undo. */
export function contentOf(server: RealPostgres, database: string): string[] {
  return dumpLines(output('pg_dump', ['--inserts', server.uri(database)]));
}

export function alembicUpgrade(
  server: RealPostgres,
  database: string,
  { folder, revision }: { folder: string; revision: string },
) {
  const env = { PATH: '/usr/bin:/bin', DATABASE_URL: server.uri(database) };
  const done = spawnSync(ALEMBIC_PROGRAM, ['upgrade', revision], { cwd: folder, env, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`alembic upgrade ${revision}: ${done.stderr}`);
}

function output(program: string, argv: string[], input = ''): string {
  const done = spawnSync(program, argv, { input, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
  return done.stdout;
}
