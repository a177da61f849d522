import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { requireSpace } from '../support/tree.ts';
import { actionNamed, StandInNode, UNIT } from './stand-in-node.ts';

const backup = actionNamed('remesd.backup');
const DO = 'run-1-backup-do-1';
const UNDO = 'run-1-backup-undo-1';
const ASIDE = `data.before-undo-${DO}`;

let node: StandInNode;
beforeEach(async () => {
  node = await StandInNode.create();
});
afterEach(() => node[Symbol.asyncDispose]());

const input = () => ({ home: node.home, unit: UNIT });

async function makeBackup(executionId = DO): Promise<JsonObject> {
  const host = node.host.as(executionId);
  const { before, problems } = await backup.check(host, input());
  expect(problems).toEqual([]);
  return { ...before, ...(await backup.run(host, input(), before)) };
}
const undo = (receipt: JsonObject, executionId = UNDO) => backup.undo(node.host.as(executionId), input(), receipt);
/** The guide's backup. */
async function copyByHand(to = 'data.backup'): Promise<void> {
  const { exitCode, stderr } = await node.host.exec(['cp', '-r', `${node.home}/data`, `${node.home}/${to}`]);
  expect(exitCode, stderr).toBe(0);
}
/** A node that writes into two tables, always the first one first: they are never further apart than one. */
async function nodeByHand(): Promise<() => Promise<void>> {
  const work = `exec 9<LOCK; echo up; n=0; while :; do n=$((n + 1)); echo $n > 000001.ldb; echo $n > 000002.ldb; done`;
  const child = spawn('sh', ['-c', work], {
    cwd: `${node.home}/data/application.db`,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(end);
  await once(child.stdout, 'data');
  return end;
}
const problemsNow = async () => (await backup.check(node.host, input())).problems.map((p) => p.code);

describe('remesd.backup', () => {
  it('copies the data and writes the manifest last', async () => {
    const receipt = await makeBackup();
    expect(receipt).toMatchObject({ files: 3, path: `${node.home}/backups/${DO}`, signer: { height: 1200, step: 3 } });
    expect(await readdir(`${receipt.path}`)).toEqual(['data', 'manifest.json']);
    expect((await stat(`${receipt.path}/data/priv_validator_state.json`)).mode & 0o777).toBe(0o600);
  });

  it('[T01] [T04] refuses while the unit runs, and while a stopped unit has a process', async () => {
    await node.unit({ ActiveState: 'active', MainPID: 77 });
    expect(await codeOf(makeBackup())).toBe('SB-ACT-UNIT-ACTIVE');
    await node.unit({ TasksCurrent: 1 });
    expect(await codeOf(makeBackup())).toBe('SB-ACT-UNIT-ACTIVE');
    expect(await readdir(node.home)).toEqual(['data']);
  });

  it('[T01] [T04] refuses while any process has a file of the data open, of which `cp -r` makes a copy that never was', async () => {
    const end = await nodeByHand();
    let copies = 0;
    await until('a copy whose tables do not belong together', async () => {
      const to = `data.backup-${++copies}`;
      await copyByHand(to);
      const [first, second] = await Promise.all(
        ['000001.ldb', '000002.ldb'].map((table) => readFile(`${node.home}/${to}/application.db/${table}`, 'utf8')),
      );
      const apart = Number(first) - Number(second);
      return apart < 0 || apart > 1;
    });
    expect(await codeOf(makeBackup())).toBe('SB-ACT-DATA-BUSY');
    await end();
    await makeBackup();
  });

  it('[T04] is worth nothing when the node was started during the copy: no manifest is written', async () => {
    // systemd's third answer in a run comes after the copy.
    const wakes = `echo x >> "$unit.n"; if [ $(wc -l < "$unit.n") -ge 4 ]; then put ActiveState active; fi`;
    await node.units.add(UNIT, { ExecStart: (await node.units.get(UNIT, 'ExecStart')) ?? '' }, { show: wakes });
    expect(await codeOf(makeBackup())).toBe('SB-ACT-UNIT-ACTIVE');
    expect(await readdir(`${node.home}/backups/${DO}`)).toEqual(['data']);
  });

  it('[T03] stops the plan when the unit runs with another home, or names none', async () => {
    await node.unit({}, '/home/remes/.remes');
    expect(await problemsNow()).toEqual(['SB-ACT-HOME-MISMATCH']);
    await node.unit({}, '');
    expect(await problemsNow()).toEqual(['SB-ACT-HOME-MISMATCH']);
    expect(await codeOf(backup.run(node.host, input(), {}))).toBe('SB-ACT-HOME-MISMATCH');
  });

  it('[T04] a second backup stands beside the first; the second `cp -r` goes inside, and is not what a rollback copies back', async () => {
    await copyByHand();
    await node.sign(1_300);
    await copyByHand();
    expect([(await node.signed('data.backup')).height, (await node.signed('data.backup/data')).height]).toEqual([
      '1200',
      '1300',
    ]);
    await makeBackup();
    const { path } = await makeBackup('run-2-backup-do-1');
    expect(JSON.parse(await readFile(`${path}/data/priv_validator_state.json`, 'utf8')).height).toBe('1300');
    expect((await readdir(`${node.home}/backups`)).sort()).toEqual([DO, 'run-2-backup-do-1']);
    expect(await readdir(`${node.home}/backups/${DO}/data`)).not.toContain('data');
    expect(await codeOf(makeBackup())).toBe('SB-ACT-BACKUP-EXISTS');
  });

  it('moves what an earlier attempt left unfinished out of the way', async () => {
    await mkdir(`${node.home}/backups/${DO}/data`, { recursive: true });
    await makeBackup();
    expect((await readdir(`${node.home}/backups`)).sort()).toEqual([DO, `${DO}.unfinished-${DO}`]);
  });

  it('[I5] stops copying when its time is over, and does not claim to know how it went', async () => {
    const { before } = await backup.check(node.host, input());
    const time = new AbortController();
    let asked = 0;
    const exec = async (...what: Parameters<typeof node.host.exec>) => {
      const result = await node.host.exec(...what);
      // systemd is asked twice before the copy begins; the time is over right after that.
      if (++asked === 2) setImmediate(() => time.abort());
      return result;
    };
    const late: typeof node.host = Object.create(node.host, { signal: { value: time.signal }, exec: { value: exec } });
    expect(await codeOf(backup.run(late, input(), before))).toBe('SB-ACT-COMMAND-CUT');
    expect(await backup.probe(node.host, input(), { direction: 'do', receipt: before })).toBe('partial');
  });

  it('[T04] asks for free space before it copies', async () => {
    expect(await codeOf(requireSpace(node.home, 1e18))).toBe('SB-ACT-DISK-FULL');
    await requireSpace(node.home, 1);
  });
});

describe('the way back from a backup', () => {
  it('[T05] restores the data but keeps the newer signing state, and deletes nothing', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    // The disaster is at hand: what the guide copies back says 1200, and 17 heights would be signed again.
    expect((await node.signed(`backups/${DO}/data`)).height).toBe('1200');
    expect(await undo(receipt)).toMatchObject({ restored: true, signer: { height: 1217 } });
    expect(await node.tables()).toBe('old tables');
    expect(await node.signed()).toMatchObject({ height: '1217', signature: 'signature of 1217' });
    expect(await readdir(`${node.home}/data/application.db`)).toEqual(['000001.ldb', 'LOCK']);
    expect(await node.tables(ASIDE)).toContain('cannot read');
    expect((await readdir(node.home)).sort()).toEqual(['backups', 'data', ASIDE]);
  });

  it('[T05] compares heights as 64-bit numbers', async () => {
    await node.sign('9007199254740992');
    const receipt = await makeBackup();
    await node.runNewRelease('9007199254740993');
    await undo(receipt);
    expect((await node.signed()).height).toBe('9007199254740993');
  });

  it('does nothing when the new release never ran', async () => {
    const receipt = await makeBackup();
    expect(await undo(receipt)).toEqual({ restored: false });
    await node.sign(1_201);
    expect(await undo(receipt)).toEqual({ restored: false });
    expect((await node.signed()).height).toBe('1201');
  });

  it('[T05] proves the backup before it touches the data', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    await writeFile(`${receipt.path}/data/application.db/000001.ldb`, 'bit rot...');
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-BACKUP-DAMAGED');
    await rm(`${receipt.path}/manifest.json`);
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-BACKUP-DAMAGED');
    expect(await node.tables()).toContain('cannot read');
  });

  it('[T05] does not believe a manifest that was made to fit', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    const path = `${receipt.path}/manifest.json`;
    await writeFile(path, (await readFile(path, 'utf8')).replace('"version":1', '"version":1,"by":"hand"'));
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-BACKUP-DAMAGED');
  });

  it.each([
    ['is gone', (path: string) => rm(path)],
    ['is torn', (path: string) => writeFile(path, '{"height":"12')],
  ])('[T05] refuses when the present signing state %s', async (_how, spoil) => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    await spoil(`${node.home}/data/priv_validator_state.json`);
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-SIGNER-UNKNOWN');
    expect(await node.tables()).toContain('cannot read');
  });

  it('[T05] refuses to go below what the receipt says was signed', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_100);
    const signer = { height: 1_300, round: 0, step: 3 };
    expect(await codeOf(undo({ ...receipt, signer }))).toBe('SB-ACT-SIGNER-BACKWARD');
    expect(await node.tables()).toContain('cannot read');
  });

  it('[T05] goes on after a crash between the two renames, with the signing state that was set aside', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    await rename(`${node.home}/data`, `${node.home}/${ASIDE}`);
    const asked = { direction: 'undo', receipt } as const;
    expect(await backup.probe(node.host, input(), asked)).toBe('partial');
    await undo(receipt, 'run-1-backup-undo-2');
    expect(await node.tables()).toBe('old tables');
    expect((await node.signed()).height).toBe('1217');
    expect(await backup.probe(node.host, input(), asked)).toBe('applied');
  });

  it('names to whoever takes it back days later the blocks since, by what was signed', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    const aside = `in ${node.home}/data, which goes aside; the node has to get them again from its peers`;
    const named = [`blocks 1201 to 1217, by what was signed here, ${aside}`];
    expect(await backup.loses(node.host, input(), receipt)).toEqual(named);
    await rename(`${node.home}/data`, `${node.home}/${ASIDE}`);
    expect(await backup.loses(node.host, input(), receipt)).toEqual(named);
    await rename(`${node.home}/${ASIDE}`, `${node.home}/data`);
    // One that follows the chain and signs nothing has made blocks as well.
    await node.sign(1_200);
    expect(await backup.loses(node.host, input(), receipt)).toEqual([expect.stringContaining('how many is not known')]);
    const { before } = await backup.check(node.host.as('run-9-backup-do-1'), input());
    expect(await backup.loses(node.host, input(), before)).toEqual([]);
  });

  it('refuses while the unit runs', async () => {
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    await node.unit({ ActiveState: 'active', MainPID: 77 });
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-UNIT-ACTIVE');
  });

  it('is nothing for a backup that was never finished', async () => {
    const { before } = await backup.check(node.host.as(DO), input());
    expect(await undo(before)).toEqual({ restored: false });
    await mkdir(`${node.home}/backups/${DO}/data`, { recursive: true });
    expect(await undo(before)).toEqual({ restored: false });
    expect(await undo({})).toEqual({ restored: false });
  });

  it('[I5] the probe tells unfinished from finished', async () => {
    const { before } = await backup.check(node.host.as(DO), input());
    const asked = { direction: 'do', receipt: before } as const;
    expect(await backup.probe(node.host, input(), asked)).toBe('not-applied');
    await mkdir(`${node.home}/backups/${DO}`, { recursive: true });
    expect(await backup.probe(node.host, input(), asked)).toBe('partial');
    await makeBackup();
    expect(await backup.probe(node.host, input(), asked)).toBe('applied');
  });

  it('restores modes of folders and files', async () => {
    await chmod(`${node.home}/data/application.db`, 0o750);
    const receipt = await makeBackup();
    await node.runNewRelease(1_217);
    await undo(receipt);
    expect((await stat(`${node.home}/data/application.db`)).mode & 0o777).toBe(0o750);
  });
});
