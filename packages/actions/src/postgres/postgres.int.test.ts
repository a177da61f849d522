import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, findPostgres, LocalHost, requireReal } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';
import { RealDatabases } from './real-database.ts';

const real = requireReal('PostgreSQL (Debian: postgresql)', findPostgres() !== undefined);
const USERS = `CREATE TABLE users (id serial PRIMARY KEY, wallet_address text UNIQUE, credits numeric, created_at timestamptz);
  INSERT INTO users (wallet_address, credits, created_at)
  SELECT 'remes1' || i, i * 1.5, '2025-12-24'::timestamptz + i * interval '1 hour' FROM generate_series(1, 50) i;`;

function action(name: string): Required<Action> {
  const found = actionByName.get(name);
  if (!found?.undo) throw new Error(`no action ${name} with an undo`);
  return found as Required<Action>;
}

describe.skipIf(!real)('actions on a real PostgreSQL', () => {
  let host: LocalHost;
  let db: RealDatabases;
  let connection: { uri: { $secret: string } };
  beforeAll(async () => {
    db = await RealDatabases.start();
  });
  afterAll(() => db[Symbol.asyncDispose]());
  beforeEach(async () => {
    host = await LocalHost.create();
    connection = await db.create(host, 'r3mes', USERS);
    return () => host[Symbol.asyncDispose]();
  });

  /** As an agent does it. */
  async function act(name: string, input: JsonObject, on: LocalHost = host): Promise<JsonObject> {
    const { before, problems } = await action(name).check(on, input);
    expect(problems).toEqual([]);
    return { ...before, ...(await action(name).run(on, input, before)) };
  }
  const users = () => db.sql('r3mes', 'SELECT * FROM users ORDER BY id');

  describe('postgres.dump', () => {
    const input = () => ({ connection, folder: host.file('dumps') });

    it('[T16] keeps the path as a receipt, in a folder of its own that nobody else may read, and reads the dump back', async () => {
      // The guide's way: past midnight the backup has another name, and there is nothing of that name to go back to.
      const by = async (date: string, command: string) => {
        await host.program('date', `echo ${date}`);
        return (await host.exec(['sh', '-c', command, 'sh', db.server.uri('r3mes')], { cwd: host.dir })).exitCode;
      };
      expect(await by('20251231', 'pg_dump "$1" > backup_$(date +%Y%m%d).sql')).toBe(0);
      expect(await by('20260101', 'psql "$1" < backup_$(date +%Y%m%d).sql')).not.toBe(0);

      const first = await act('postgres.dump', input());
      const second = await act('postgres.dump', input(), host.as('run-2-step-do-1'));
      expect(first).toMatchObject({ database: 'r3mes', rows: 50, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(await readdir(host.file('dumps'))).toHaveLength(2);
      expect(second.path).not.toBe(first.path);
      expect((await stat(String(first.path))).mode & 0o077).toBe(0);
      await db.sql('r3mes', 'DELETE FROM users');
      await action('postgres.dump').undo(host, input(), first);
      expect(await users()).toHaveLength(50);
    });

    it('[T15] [T16] undo puts the rows back by renaming; nothing when nothing has changed, and the old database is kept', async () => {
      const [receipt, before] = [await act('postgres.dump', input()), await users()];
      expect(await action('postgres.dump').undo(host, input(), receipt)).toEqual({ restored: false });
      await db.sql('r3mes', 'ALTER TABLE users DROP COLUMN credits; DELETE FROM users WHERE id > 40');
      expect(await action('postgres.dump').undo(host, input(), receipt)).toMatchObject({ restored: true });
      expect(await users()).toEqual(before);
      expect(host.printed.join('\n')).toContain('table public.users: 50 -> 40 rows');
      expect(await db.databases('r3mes_before%')).toHaveLength(1);
      // The next identity is one that was never given out.
      expect(await db.sql('r3mes', `INSERT INTO users (wallet_address) VALUES ('x') RETURNING id`)).toEqual([[51]]);
      expect(await action('postgres.dump').undo(host, input(), receipt)).toMatchObject({ restored: true });
      expect(await users()).toHaveLength(51);
    });

    it('[T15] throws nobody out: who is connected is named, and nothing was changed', async () => {
      const receipt = await act('postgres.dump', input());
      await db.sql('r3mes', 'DELETE FROM users');
      const session = await db.connect('r3mes');
      expect(await codeOf(action('postgres.dump').undo(host, input(), receipt))).toBe('SB-ACT-DATABASE-BUSY');
      await expect(action('postgres.dump').undo(host, input(), receipt)).rejects.toThrow(/r3mes-backend/);
      expect(await users()).toEqual([]);
      await session.end();
      await action('postgres.dump').undo(host, input(), receipt);
      expect(await users()).toHaveLength(50);
    });

    it('[T16] refuses a dump that was cut short, before the database is touched: psql is content with half of one', async () => {
      const { stdout } = await host.exec(['pg_dump', '--no-owner', db.server.uri('r3mes')], { quiet: true });
      await db.create(host, 'half');
      const half = { stdin: stdout.slice(0, stdout.indexOf('remes126')).replace(/\n[^\n]*$/, '\n') };
      expect((await host.exec(['psql', '-q', '-f', '-', db.server.uri('half')], half)).exitCode).toBe(0);
      expect(await db.sql('half', 'SELECT count(*)::int FROM users')).toEqual([[25]]);

      const receipt = await act('postgres.dump', input());
      const file = join(String(receipt.path), 'database.dump');
      await truncate(file, (await stat(file)).size - 100);
      await db.sql('r3mes', 'DELETE FROM users WHERE id = 1');
      expect(await codeOf(action('postgres.dump').undo(host, input(), receipt))).toBe('SB-ACT-DUMP-DAMAGED');
      expect(await users()).toHaveLength(49);
    });

    it('[I9] has no password in an argv, in its receipt or on the disk when it is over', async () => {
      const receipt = await act('postgres.dump', input());
      expect(JSON.stringify([host.started, host.printed, receipt])).not.toContain(db.server.password);
      expect(await readFile(join(String(receipt.path), 'manifest.json'), 'utf8')).not.toContain(db.server.password);
    });

    it('[I5] the probe knows a finished dump from an unfinished one', async () => {
      const { before } = await action('postgres.dump').check(host, input());
      const ask = (direction: 'do' | 'undo') =>
        action('postgres.dump').probe(host, input(), { direction, receipt: before });
      expect(await ask('do')).toBe('not-applied');
      await action('postgres.dump').run(host, input(), before);
      expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'applied']);
      await db.sql('r3mes', 'DELETE FROM users WHERE id = 1');
      expect(await ask('undo')).toBe('not-applied');
    });

    it('says at plan time what would make the way back impossible', async () => {
      await db.sql('r3mes', `ALTER DATABASE r3mes SET work_mem = '8MB'`);
      const { problems } = await action('postgres.dump').check(host, input());
      expect(problems.map(({ code }) => code)).toEqual(['SB-ACT-DATABASE-SETTINGS']);
      host.secrets.set('env:r3mes', 'sqlite:///r3mes.db');
      const other = await action('postgres.dump').check(host, input());
      expect(other.problems.map(({ code }) => code)).toEqual(['SB-ACT-POSTGRES-URI']);
    });
  });

  describe('postgres.restore', () => {
    it('[T15] replaces a database by a proven one: rows of the live one do not mix with the dump, and undo is a rename', async () => {
      const dumped = await act('postgres.dump', { connection, folder: host.file('dumps') });
      const other = await db.create(host, 'staging', USERS.replaceAll('remes1', 'staging'));
      const input = { connection: other, dump: String(dumped.path), sha256: String(dumped.sha256) };
      // The guide's way: errors are ignored, and the live database ends up with the wrong rows and nobody is told.
      const naive = await host.exec(['psql', '-q', '-f', '-', db.server.uri('staging')], {
        stdin: `${USERS}\nINSERT INTO users (id, wallet_address) VALUES (1000, 'half-way');`,
      });
      expect(naive.exitCode).toBe(0);
      expect(await db.sql('staging', `SELECT count(*)::int FROM users`)).toEqual([[101]]);
      const receipt = await act('postgres.restore', input);
      expect(await db.sql('staging', 'SELECT * FROM users ORDER BY id')).toEqual(await users());
      expect(await action('postgres.restore').undo(host, input, receipt)).toEqual({ restored: true });
      expect(await db.sql('staging', `SELECT count(*)::int FROM users`)).toEqual([[101]]);
      expect(await action('postgres.restore').undo(host, input, receipt)).toEqual({ restored: false });
    });
  });

  describe('postgres.tryRestore', () => {
    it('[T25] proves that a dump comes back whole, and leaves no database behind, also when it does not', async () => {
      const dumped = await act('postgres.dump', { connection, folder: host.file('dumps') });
      const input = { connection, dump: String(dumped.path), sha256: String(dumped.sha256) };
      const receipt = await act('postgres.tryRestore', input);
      expect(receipt).toMatchObject({ restored: true });
      expect(await db.databases('r3mes%')).toEqual(['r3mes']);
      const manifest = join(String(dumped.path), 'manifest.json');
      await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"rows":50', '"rows":51'));
      expect(await codeOf(action('postgres.tryRestore').run(host, input, receipt))).toBe('SB-ACT-DUMP-DAMAGED');
      expect(await db.databases('r3mes%')).toEqual(['r3mes']);
      expect(await action('postgres.tryRestore').undo(host, input, receipt)).toEqual({ dropped: true });
    });
  });

  describe('postgres.sql', () => {
    const ADD = {
      statements:
        'ALTER TABLE users ADD COLUMN api_key_hash varchar(255); CREATE INDEX by_wallet ON users(wallet_address)',
    };
    const input = (change: JsonObject = {}): JsonObject => ({
      connection,
      ...ADD,
      applied: `SELECT to_regclass('by_wallet') IS NOT NULL`,
      effect: 'reversible',
      undo: { statements: 'DROP INDEX by_wallet; ALTER TABLE users DROP COLUMN api_key_hash' },
      ...change,
    });

    it('keeps all statements or none, and does what is done already no second time', async () => {
      const broken = input({ statements: `${ADD.statements}; SELECT 1 / 0` });
      expect(await codeOf(action('postgres.sql').run(host, broken, {}))).toBe('SB-ACT-POSTGRES');
      expect((await users())[0]).toHaveLength(4);
      const receipt = await act('postgres.sql', input());
      expect((await users())[0]).toHaveLength(5);
      expect(await act('postgres.sql', input())).toEqual({ alreadyApplied: true });
      expect(await action('postgres.sql').undo(host, input(), receipt)).toEqual({ undone: true });
      expect((await users())[0]).toHaveLength(4);
      expect(await action('postgres.sql').undo(host, input(), receipt)).toEqual({ undone: false });
    });

    it('leaves alone on the way back what was there before', async () => {
      await db.sql('r3mes', ADD.statements);
      const receipt = await act('postgres.sql', input());
      expect(await action('postgres.sql').undo(host, input(), receipt)).toEqual({ undone: false });
      expect((await users())[0]).toHaveLength(5);
    });

    it('[I5] notices statements that end the transaction', async () => {
      const commits = input({ statements: `${ADD.statements}; COMMIT; BEGIN; SELECT 1` });
      expect(await codeOf(action('postgres.sql').run(host, commits, {}))).toBe('SB-ACT-SQL-COMMITS');
    });
  });

  describe('postgres.copyOut and postgres.copyIn', () => {
    const columns = ['wallet_address', 'credits', 'created_at'];
    let file: string;
    let target: { uri: { $secret: string } };
    beforeEach(async () => {
      file = host.file('users.csv');
      target = await db.create(
        host,
        'target',
        `${USERS} DELETE FROM users WHERE id > 3; UPDATE users SET wallet_address = 'own' || id`,
      );
    });
    const out = (change: JsonObject = {}) => ({
      connection,
      table: 'users',
      columns,
      key: 'wallet_address',
      file,
      ...change,
    });
    const into = ({ rows, sum, sha256 }: JsonObject) => ({
      ...out({ connection: target }),
      rows: rows ?? 0,
      sum: sum ?? '',
      sha256: sha256 ?? '',
    });
    /** The guide's COPY: the server itself writes and reads, on its own disk. */
    async function copyByHand(select = columns.join(', ')): Promise<string> {
      const path = join(db.server.dir, 'users_export.csv');
      await db.sql('r3mes', `COPY (SELECT ${select} FROM users) TO '${path}' WITH CSV HEADER`);
      await db.sql('target', `COPY users(${select}) FROM '${path}' WITH CSV HEADER`);
      return path;
    }
    const arrived = () => db.sql('target', `SELECT wallet_address, credits, created_at FROM users ORDER BY 1`);

    it('[T24] carries rows with count and checksum equal at both ends, and takes exactly them out again', async () => {
      // Only an administrator of the server may do it by hand, and then everybody on the server's host may read it.
      const asService = `SET ROLE pg_read_all_data; COPY users TO '${join(db.server.dir, 'users.csv')}'`;
      await expect(db.sql('r3mes', asService)).rejects.toThrow(/superuser|permission denied/);
      expect((await stat(await copyByHand())).mode & 0o004).toBe(0o004);
      await db.sql('target', `DELETE FROM users WHERE wallet_address LIKE 'remes1%'`);

      const before = await arrived();
      const exported = await act('postgres.copyOut', out());
      expect(exported).toMatchObject({ rows: 50 });
      expect((await stat(file)).mode & 0o077).toBe(0);
      const receipt = await act('postgres.copyIn', into(exported));
      expect(receipt).toEqual({ rows: 50, own: { known: 0 } });
      expect(await arrived()).toHaveLength(53);
      expect(await action('postgres.copyIn').undo(host, into(exported), receipt)).toEqual({ removed: 50 });
      expect(await arrived()).toEqual(before);
      expect(await action('postgres.copyOut').undo(host, out(), exported)).toEqual({ removed: true });
    });

    it('[T24] says at plan time which column the table does not have in this revision', async () => {
      await expect(copyByHand([...columns, 'updated_at'].join(', '))).rejects.toThrow(/"updated_at" does not exist/);
      const { problems } = await action('postgres.copyOut').check(host, out({ columns: [...columns, 'updated_at'] }));
      expect(problems).toMatchObject([{ code: 'SB-ACT-COLUMN-MISSING', message: 'users has no updated_at' }]);
    });

    it('[T24] loads nothing when rows are there already, and reports how many', async () => {
      const exported = await act('postgres.copyOut', out());
      await db.sql('target', `INSERT INTO users (wallet_address) VALUES ('remes17')`);
      expect(await codeOf(action('postgres.copyIn').run(host, into(exported), {}))).toBe('SB-ACT-DUPLICATE-ROWS');
      await expect(action('postgres.copyIn').run(host, into(exported), {})).rejects.toThrow(
        /1 rows are in users already/,
      );
      expect(await arrived()).toHaveLength(4);
    });

    it('[T24] [I4] an undo after a load that was refused leaves rows alone that somebody else had loaded', async () => {
      const exported = await act('postgres.copyOut', out());
      await act('postgres.copyIn', into(exported));
      const { before } = await action('postgres.copyIn').check(host, into(exported));
      expect(await codeOf(action('postgres.copyIn').run(host, into(exported), before))).toBe('SB-ACT-DUPLICATE-ROWS');
      expect(await action('postgres.copyIn').undo(host, into(exported), before)).toEqual({ removed: 0 });
      expect(await arrived()).toHaveLength(53);
    });

    it('[T24] keeps nothing when the target makes something else of a row, or the file is another one', async () => {
      const exported = await act('postgres.copyOut', out());
      await db.sql('target', 'ALTER TABLE users ALTER COLUMN credits TYPE integer');
      expect(await codeOf(action('postgres.copyIn').run(host, into(exported), {}))).toBe('SB-ACT-POSTGRES');
      await db.sql('target', 'ALTER TABLE users ALTER COLUMN credits TYPE numeric(12, 0)');
      // By hand all seems well, and every second user has other credits than before.
      await copyByHand();
      const wrong = await db.sql('target', `SELECT credits FROM users WHERE wallet_address = 'remes11'`);
      expect([wrong, await arrived()]).toEqual([[['2']], expect.objectContaining({ length: 53 })]);
      await db.sql('target', `DELETE FROM users WHERE wallet_address LIKE 'remes1%'`);
      expect(await codeOf(action('postgres.copyIn').run(host, into(exported), {}))).toBe('SB-ACT-ROWS-DIFFER');
      await writeFile(file, (await readFile(file, 'utf8')).replace('remes11', 'remes1x'));
      expect(await codeOf(action('postgres.copyIn').run(host, into(exported), {}))).toBe('SB-ACT-CHECKSUM');
      expect(await arrived()).toHaveLength(3);
    });

    it('[T24] takes out no row that somebody has used since', async () => {
      const exported = await act('postgres.copyOut', out());
      const receipt = await act('postgres.copyIn', into(exported));
      await db.sql('target', `UPDATE users SET credits = 0 WHERE wallet_address = 'remes17'`);
      expect(await codeOf(action('postgres.copyIn').undo(host, into(exported), receipt))).toBe(
        'SB-ACT-CHANGED-MEANWHILE',
      );
      expect(await arrived()).toHaveLength(53);
    });
  });
});
