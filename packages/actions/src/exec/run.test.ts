import { readFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const run = actionByName.get('exec.run') as Required<Action>;

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  await host.program('mark', `echo "$@" >> ${host.file('marks')}; exit "\${CODE:-0}"`);
  await host.program('asked', 'exit "$1"');
});
afterEach(() => host[Symbol.asyncDispose]());

const marks = () => readFile(host.file('marks'), 'utf8').catch(() => '');

describe('exec.run', () => {
  it('passes arguments as they are: no shell reads them', async () => {
    const words = ['; rm -rf /', '$HOME', '`id`', 'a  b', '*'];
    await run.run(host, { argv: ['mark', ...words], effect: 'idempotent' }, {});
    expect(await marks()).toBe(`${words.join(' ')}\n`);
  });

  it('[T02] redirects nothing: what looks like a redirect is an argument', async () => {
    await run.run(host, { argv: ['mark', 'export', '>', host.file('genesis.json')], effect: 'idempotent' }, {});
    expect(await marks()).toBe(`export > ${host.file('genesis.json')}\n`);
    await expect(readFile(host.file('genesis.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('fails with the exit code, and leaves what the program said out of the message', async () => {
    await host.program('tell', 'echo password=hunter2 >&2; exit 3');
    const failed = run.run(host, { argv: ['tell'], effect: 'idempotent' }, {});
    await expect(failed).rejects.toMatchObject({ failure: { message: 'tell exited with 3' } });
  });

  it('[I5] does not know how it went when it was killed', async () => {
    await host.program('die', 'kill -9 $$');
    expect(await codeOf(run.run(host, { argv: ['die'], effect: 'irreversible' }, {}))).toBe('SB-ACT-COMMAND-CUT');
  });

  it('names each missing program at plan time, once', async () => {
    const input: JsonObject = {
      argv: ['/nowhere/x'],
      effect: 'reversible',
      undo: { argv: ['/nowhere/x', 'back'] },
      probe: { argv: ['no-such-program'] },
    };
    const { problems } = await run.check(host, input);
    expect(problems.map((p) => p.message)).toEqual(['no /nowhere/x here', 'no no-such-program here']);
    expect((await run.check(host, { argv: ['mark'], effect: 'read' })).problems).toEqual([]);
    expect(await codeOf(run.run(host, { argv: ['/nowhere/x'], effect: 'read' }, {}))).toBe('SB-ACT-PROGRAM-MISSING');
  });

  it.each([
    ['0', 'do', 'applied'],
    ['1', 'do', 'not-applied'],
    ['2', 'do', 'cannot-tell'],
    ['0', 'undo', 'not-applied'],
    ['1', 'undo', 'applied'],
    ['7', 'undo', 'cannot-tell'],
  ] as const)('[I5] a probe that exits %s means for %s: %s', async (code, direction, wanted) => {
    const input = { argv: ['mark'], effect: 'irreversible', probe: { argv: ['asked', code] } };
    expect(await run.probe(host, input, { direction, receipt: {} })).toBe(wanted);
  });

  it('[I5] cannot tell without a probe, unless nothing is changed by running it again', async () => {
    const asked = { direction: 'do', receipt: {} } as const;
    expect(await run.probe(host, { argv: ['mark'], effect: 'idempotent' }, asked)).toBe('cannot-tell');
    expect(await run.probe(host, { argv: ['mark'], effect: 'read' }, asked)).toBe('not-applied');
  });

  it('undo looks first where it can ask', async () => {
    const undo = { argv: ['mark', 'undone'] };
    const input = (code: string) => ({ argv: ['mark'], effect: 'reversible', undo, probe: { argv: ['asked', code] } });
    expect(await run.undo(host, input('1'), {})).toEqual({ undone: false });
    expect(await marks()).toBe('');
    expect(await run.undo(host, input('0'), {})).toEqual({ undone: true });
    expect(await marks()).toBe('undone\n');
  });

  it('calls nothing reversible that has no way back', () => {
    expect(run.schema.safeParse({ argv: ['x'], effect: 'reversible' }).success).toBe(false);
    expect(run.schema.safeParse({ argv: [], effect: 'read' }).success).toBe(false);
    expect(run.schema.safeParse({ argv: 'rm -rf /', effect: 'read' }).success).toBe(false);
  });
});
