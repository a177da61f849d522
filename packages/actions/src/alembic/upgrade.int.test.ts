import { existsSync } from 'node:fs';
import type { JsonObject } from '@signalbox/protocol';
import {
  ALEMBIC_PROGRAM,
  codeOf,
  findPostgres,
  LocalHost,
  requireReal,
  writeAlembicScripts,
} from '@signalbox/protocol/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';
import { RealDatabases } from '../postgres/real-database.ts';

const upgrade = actionByName.get('alembic.upgrade') as Required<Action>;
const real =
  requireReal('PostgreSQL (Debian: postgresql)', findPostgres() !== undefined) &&
  requireReal('Alembic (Debian: alembic python3-psycopg2)', existsSync(ALEMBIC_PROGRAM));
const HEAD = '003_add_lora_serving_node';

describe.skipIf(!real)('alembic.upgrade with a real Alembic on a real PostgreSQL', () => {
  let host: LocalHost;
  let db: RealDatabases;
  let input: JsonObject;
  beforeAll(async () => {
    db = await RealDatabases.start();
  });
  afterAll(() => db[Symbol.asyncDispose]());
  beforeEach(async () => {
    host = await LocalHost.create();
    const connection = await db.create(host, 'r3mes');
    const folder = host.file('backend');
    writeAlembicScripts(folder);
    input = { connection, folder, program: ALEMBIC_PROGRAM, variable: 'DATABASE_URL', revision: 'head' };
    return () => host[Symbol.asyncDispose]();
  });

  /** As a person types it. */
  async function alembic(...words: string[]): Promise<void> {
    const env = { DATABASE_URL: db.server.uri('r3mes') };
    const { exitCode, stderr } = await host.exec([ALEMBIC_PROGRAM, ...words], { cwd: host.file('backend'), env });
    expect(exitCode, stderr).toBe(0);
  }
  const revision = async () => (await db.sql('r3mes', 'SELECT version_num FROM alembic_version'))[0]?.[0];
  const tables = async () =>
    (await db.sql('r3mes', `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)).flat();
  async function doIt(change: JsonObject = {}): Promise<JsonObject> {
    const { before, problems } = await upgrade.check(host, { ...input, ...change });
    expect(problems).toEqual([]);
    return { ...before, ...(await upgrade.run(host, { ...input, ...change }, before)) };
  }

  it('[T13] makes `head` exact, records the revision before, and goes back to exactly that', async () => {
    await alembic('upgrade', '001_initial');
    expect((await upgrade.check(host, input)).note).toBe(`001_initial -> ${HEAD}`);
    const receipt = await doIt();
    expect(receipt).toEqual({ revision: '001_initial', target: HEAD });
    expect(await revision()).toBe(HEAD);
    expect(await upgrade.undo(host, input, receipt)).toEqual({ downgraded: true });
    expect(await revision()).toBe('001_initial');
    expect(await tables()).toEqual(['alembic_version', 'users']);
    expect(await upgrade.undo(host, input, receipt)).toEqual({ downgraded: false });
  });

  it('[T13] notices an env.py that works on a database of its own, where a person would see success', async () => {
    writeAlembicScripts(host.file('backend'), { url: `'sqlite:///r3mes.db'` });
    await alembic('upgrade', 'head');
    expect([existsSync(host.file('backend', 'r3mes.db')), await tables()]).toEqual([true, []]);
    const { problems } = await upgrade.check(host, input);
    expect(problems).toMatchObject([
      { code: 'SB-ACT-ALEMBIC-DATABASE', message: expect.stringContaining('sqlite:///r3mes.db') },
    ]);
    expect(await codeOf(upgrade.run(host, input, { revision: 'base', target: HEAD }))).toBe('SB-ACT-ALEMBIC-DATABASE');
    writeAlembicScripts(host.file('backend'));
    await doIt();
    expect([await revision(), await tables()]).toEqual([HEAD, expect.arrayContaining(['users'])]);
  });

  it('[T14] after a restored dump there is nothing left to downgrade: the guide’s `downgrade -1` drops a table', async () => {
    await alembic('upgrade', '002_add_indexes');
    const dumped = { connection: input.connection ?? null, folder: host.file('dumps') };
    const dump = actionByName.get('postgres.dump') as Required<Action>;
    const { before } = await dump.check(host, dumped);
    const dumpReceipt = { ...before, ...(await dump.run(host, dumped, before)) };
    const receipt = await doIt();
    await db.sql('r3mes', `INSERT INTO users (wallet_address) VALUES ('written since')`);
    await dump.undo(host, dumped, dumpReceipt);
    expect(await upgrade.undo(host, input, receipt)).toEqual({ downgraded: false });
    expect([await revision(), await tables()]).toEqual(['002_add_indexes', ['alembic_version', 'users']]);
    // What the guide has people type next. Once more, and the users are gone.
    await alembic('downgrade', '-1');
    expect(await revision()).toBe('001_initial');
    await alembic('downgrade', '-1');
    expect(await tables()).toEqual(['alembic_version']);
  });

  it('says to whoever takes it back days later that later revisions would go', async () => {
    await alembic('upgrade', '001_initial');
    const receipt = await doIt({ revision: '002_add_indexes' });
    expect(await upgrade.loses(host, input, receipt)).toEqual([]);
    await alembic('upgrade', 'head');
    expect(await upgrade.loses(host, input, receipt)).toEqual([`the schema is at ${HEAD}, where it was brought later`]);
    await alembic('downgrade', '001_initial');
    expect(await upgrade.loses(host, input, receipt)).toEqual([]);
  });

  it('starts from an empty database, and knows after a crash how far it came', async () => {
    const { before } = await upgrade.check(host, input);
    const ask = (direction: 'do' | 'undo') => upgrade.probe(host, input, { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await alembic('upgrade', '002_add_indexes');
    expect(await ask('do')).toBe('partial');
    await upgrade.run(host, input, before);
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    await upgrade.undo(host, input, before);
    expect(await tables()).toEqual(['alembic_version']);
  });

  it('refuses revisions that the scripts do not know, going down, and several heads', async () => {
    const codes = async (change: JsonObject) =>
      (await upgrade.check(host, { ...input, ...change })).problems.map(({ message }) => message);
    expect(await codes({ revision: '004_none' })).toMatchObject([expect.stringContaining('do not know 004_none')]);
    await alembic('upgrade', 'head');
    expect(await codes({ revision: '001_initial' })).toMatchObject([expect.stringContaining('newer than 001_initial')]);
    await host.write(
      'backend/alembic/versions/x.py',
      `revision = 'x'\ndown_revision = '002_add_indexes'\ndef upgrade(): pass\ndef downgrade(): pass\n`,
    );
    expect(await codes({})).toMatchObject([expect.stringContaining('2 heads')]);
  });

  it('[I9] shows the password to nobody', async () => {
    const receipt = await doIt();
    expect(JSON.stringify([host.started, host.printed, receipt])).not.toContain(encodeURIComponent(db.server.password));
  });
});
