import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bootedMiner, bootedNode } from './booted.ts';
import { FIRST_HEIGHT } from './furnish-node.ts';
import { countExecutions, readMarks } from './marks.ts';
import { signsBeyond } from './naive.ts';
import { nodePaths } from './paths.ts';
import { runOn } from './sandbox.ts';
import { compareSnapshots, takeSnapshot } from './snapshot.ts';

describe('what the lab counts', () => {
  it('[I1] every change on a host leaves a mark, with the command in whose name it was made', async () => {
    const node = await bootedNode();
    const env = { PATH: node.path, SIGNALBOX_COMMAND_ID: 'r-1:stop:node-1:do:1' };
    const asAgent = (...argv: string[]) => promisify(execFile)('systemctl', argv, { env });
    await asAgent('stop', '--', 'remesd.service');
    await asAgent('show', 'remesd.service');
    await runOn(node, ['systemctl', 'start', 'remesd.service']);
    const marks = readMarks(node);
    expect(
      marks.filter(({ program }) => program === 'systemctl').map(({ argv, mutates }) => [argv[0], mutates]),
    ).toEqual([
      ['stop', true],
      ['show', false],
      ['start', true],
    ]);
    expect(countExecutions(marks)).toEqual({ commands: new Set(['r-1:stop:node-1:do:1']), doubles: 0 });
    await asAgent('stop', '--', 'remesd.service');
    expect(countExecutions(readMarks(node)).doubles).toBe(1);
  });

  it('a host that only lived on is as before; one that was changed is not', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT);
    const before = await takeSnapshot(node);
    expect(before.files.size).toBeGreaterThan(50);
    await signsBeyond(node, FIRST_HEIGHT + 3);
    expect(compareSnapshots(before, await takeSnapshot(node))).toEqual([]);

    appendFileSync(join(nodePaths(node.home).tables, '000003.ldb'), 'x');
    mkdirSync(join(node.paths.root, 'etc', 'new'), { recursive: true });
    writeFileSync(join(node.paths.root, 'etc', 'new', 'file'), '');
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    expect(compareSnapshots(before, await takeSnapshot(node))).toEqual([
      'etc/new/file is new',
      'home/remes/.remesd/data/application.db/000003.ldb has changed',
      'unit ActiveState: active -> inactive',
      'unit SubState: running -> dead',
    ]);
  });

  it('sees another package in a miner’s environment', async () => {
    const miner = await bootedMiner();
    const before = await takeSnapshot(miner);
    await runOn(miner, [join(miner.venv, 'bin', 'pip'), 'install', 'r3mes-miner==1.0.0']);
    const differences = compareSnapshots(before, await takeSnapshot(miner));
    expect(differences.some((line) => line.startsWith('version pip:'))).toBe(true);
    expect(differences.some((line) => line.includes('__init__.py has changed'))).toBe(true);
  });
});
