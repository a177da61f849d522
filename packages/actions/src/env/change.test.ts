import { readFile, stat } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const change = actionByName.get('env.change') as Required<Action>;
const OLD = `# of the backend
OLD_DB_URL=postgresql://user:hunter2@db/r3mes

OLD_REDIS_URL="redis://cache:6379/0"
; kept as well
UNKNOWN_TO_US='two words'
`;
const RENAME = [
  { from: 'OLD_DB_URL', to: 'DATABASE_URL' },
  { from: 'OLD_REDIS_URL', to: 'REDIS_URL' },
  { from: 'OLD_CORS_ORIGINS', to: 'CORS_ALLOWED_ORIGINS' },
];

let host: LocalHost;
let file: string;
beforeEach(async () => {
  host = await LocalHost.create();
  file = await host.write('backend.env', OLD, 0o644);
});
afterEach(() => host[Symbol.asyncDispose]());

const text = () => readFile(file, 'utf8');
const input = (more: JsonObject = {}) => change.schema.parse({ file, rename: RENAME, ...more }) as JsonObject;
async function doIt(more: JsonObject = {}): Promise<JsonObject> {
  const { before, problems } = await change.check(host, input(more));
  expect(problems).toEqual([]);
  return { ...before, ...(await change.run(host, input(more), before)) };
}
const problemsOf = async (more: JsonObject = {}) =>
  (await change.check(host, input(more))).problems.map(({ code }) => code);

describe('env.change', () => {
  it('[T11] [T12] renames by a table, keeps comments and unknown lines in their places, and takes the file from others', async () => {
    const receipt = await doIt();
    expect(await text()).toBe(
      OLD.replace('OLD_DB_URL', 'DATABASE_URL').replace(
        'OLD_REDIS_URL="redis://cache:6379/0"',
        'REDIS_URL=redis://cache:6379/0',
      ),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(receipt.changes).toEqual(['+DATABASE_URL', '-OLD_DB_URL', '-OLD_REDIS_URL', '+REDIS_URL']);
    expect(await change.undo(host, input(), receipt)).toEqual({ restored: true });
    expect(await text()).toBe(OLD);
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect(await change.undo(host, input(), receipt)).toEqual({ restored: false });
  });

  it('[T12] runs nothing: what `source` would carry out is refused, and named by its line', async () => {
    const mark = host.file('ran');
    await host.write('backend.env', `OLD_DB_URL=$(touch ${mark})x\n`);
    // The guide's way: sourcing runs what is in the file, and what was not exported arrives nowhere.
    const sourced = await host.exec(['sh', '-c', `. ${file}; env`]);
    expect([(await stat(mark)).isFile(), sourced.stdout.includes('OLD_DB_URL')]).toEqual([true, false]);
    const { problems } = await change.check(host, input());
    expect(problems).toMatchObject([{ code: 'SB-ACT-ENV-FILE', message: expect.stringContaining('line 1') }]);
  });

  it('[T12] writes no blank: a template with a name that is not set does', async () => {
    await host.write('backend.env', 'OLD_DB_URL=x\n');
    const template = await host.exec(['sh', '-c', `. ${file}; echo "CORS_ALLOWED_ORIGINS=$OLD_CORS_ORIGINS"`]);
    expect(template.stdout).toBe('CORS_ALLOWED_ORIGINS=\n');
    await doIt();
    expect(await text()).not.toContain('CORS_ALLOWED_ORIGINS');
    await host.write('backend.env', 'OLD_CORS_ORIGINS=\n');
    expect(await problemsOf()).toEqual(['SB-ACT-ENV-BLANK']);
  });

  it('[T12] refuses a name that stands twice, and two names that disagree', async () => {
    await host.write('backend.env', 'A=1\nA=2\n');
    expect(await problemsOf()).toEqual(['SB-ACT-ENV-FILE']);
    await host.write('backend.env', 'OLD_DB_URL=x\nDATABASE_URL=y\n');
    expect(await problemsOf()).toEqual(['SB-ACT-ENV-CONFLICT']);
    await host.write('backend.env', 'OLD_DB_URL=x\nDATABASE_URL=x\n');
    await doIt();
    expect(await text()).toBe('DATABASE_URL=x\n');
  });

  it('[I9] puts secrets into the file and nowhere else', async () => {
    host.secrets.set('file:/etc/db', `postgresql://u:it's$ecret@db/x`);
    expect(await problemsOf({ secrets: { DATABASE_URL: { $secret: 'file:/etc/db' } } })).toEqual(['SB-ACT-ENV-FILE']);
    host.secrets.set('file:/etc/db', 'postgresql://u:$ecret word@db/x');
    const more = {
      rename: [],
      secrets: { DATABASE_URL: { $secret: 'file:/etc/db' } },
      set: [{ name: 'R3MES_ENV', value: 'staging' }],
    };
    const { note } = await change.check(host, input(more));
    const receipt = await doIt(more);
    expect(await text()).toBe(`${OLD}R3MES_ENV=staging\nDATABASE_URL='postgresql://u:$ecret word@db/x'\n`);
    expect(JSON.stringify([note, receipt, host.started, host.printed])).not.toMatch(/ecret word|hunter2/);
  });

  it('[T11] reports an old name that the running unit gets from somewhere else', async () => {
    const units = await new StandInUnits(host).install();
    await units.add('b.service', { MainPID: 0, Environment: 'OLD_CORS_ORIGINS=https://x OLD_DB_URL=y' });
    const { problems } = await change.check(host, input({ unit: 'b.service' }));
    expect(problems.map(({ message }) => message)).toEqual([`b.service has OLD_CORS_ORIGINS, and not from ${file}`]);
  });

  it('changes no file that somebody else has changed since, and knows after a crash how far it came', async () => {
    const { before } = await change.check(host, input());
    const ask = (direction: 'do' | 'undo') => change.probe(host, input(), { direction, receipt: before });
    expect(await ask('do')).toBe('not-applied');
    await change.run(host, input(), before);
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    await host.write('backend.env', 'A=1\n', 0o600);
    expect(await ask('undo')).toBe('cannot-tell');
    expect(await codeOf(change.undo(host, input(), before))).toBe('SB-ACT-CHANGED-MEANWHILE');
    expect(await text()).toBe('A=1\n');
  });
});
