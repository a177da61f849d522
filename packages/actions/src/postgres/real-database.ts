import type { LocalHost } from '@signalbox/protocol/testing';
import { RealPostgres } from '@signalbox/protocol/testing';
import pg from 'pg';

/** For tests: databases on a real server, and what a person does with psql. */
export class RealDatabases implements AsyncDisposable {
  readonly server: RealPostgres;

  static async start(): Promise<RealDatabases> {
    return new RealDatabases(await RealPostgres.start());
  }

  private constructor(server: RealPostgres) {
    this.server = server;
  }

  /** A fresh database with this content; its URI is the secret `env:NAME` of the host. @returns the connection. */
  async create(host: LocalHost, name: string, content = ''): Promise<{ uri: { $secret: string } }> {
    // With what earlier tests set aside: all executions have the same name here.
    for (const old of [name, ...(await this.databases(`${name}\\_%`))]) {
      await this.sql('postgres', `DROP DATABASE IF EXISTS ${old} WITH (FORCE)`);
    }
    await this.sql('postgres', `CREATE DATABASE ${name}`);
    if (content !== '') await this.sql(name, content);
    host.secrets.set(`env:${name}`, this.server.uri(name));
    return { uri: { $secret: `env:${name}` } };
  }

  async sql(database: string, text: string): Promise<unknown[][]> {
    const client = await this.connect(database);
    try {
      const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
      return rows ?? [];
    } finally {
      await client.end();
    }
  }

  /** A session that stays, as a service has one. */
  async connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.server.uri(database), application_name: 'r3mes-backend' });
    await client.connect();
    return client;
  }

  async databases(like: string): Promise<string[]> {
    const rows = await this.sql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE '${like}' ORDER BY 1`);
    return rows.map(([name]) => String(name));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
