import { readFile, writeFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasSubcommand } from './program.ts';
import { actionNamed, StandInNode } from './stand-in-node.ts';

/** As Cobra: help of what is there, the help of the group above for what is not, and exit code 0 for both. */
const COBRA = `#!/bin/sh
case "$*" in
  "export --help") printf 'Export state to JSON\\n\\nUsage:\\n  remesd export [flags]\\n\\nFlags:\\n  -h, --help\\n';;
  "query remes params --help") printf 'Usage:\\n  remesd query remes params [flags]\\n\\n';;
  "query remes "*"--help") printf 'Usage:\\n  remesd query remes [command]\\n\\nAvailable Commands:\\n  params   task-pools are not here\\n';;
  *--help) printf 'Usage:\\n  remesd [command]\\n\\nAvailable Commands:\\n  export\\n  query\\n';;
  export*) echo 'configuration validated'; cp "$STATE" "$5";;
  "query remes params "*) cat "$STATE";;
esac
`;

let node: StandInNode;
let program: string;
beforeEach(async () => {
  node = await StandInNode.create();
  program = await node.host.write('opt/remesd', COBRA, 0o755);
});
afterEach(() => node[Symbol.asyncDispose]());

async function says(state: string): Promise<void> {
  const path = await node.host.write('state', state);
  await writeFile(program, COBRA.replaceAll('"$STATE"', `'${path}'`));
}
const exporting = () => ({ home: node.home, unit: 'remesd.service', file: node.host.file('out.json') });
const asking = (query: string[]): JsonObject => ({ ...exporting(), query, list: 'pools', node: 'tcp://127.0.0.1:1' });

describe('a Cobra program', () => {
  it('[T07] has a subcommand when its usage line says so: exit code and words in the help do not count', async () => {
    const has = (...words: string[]) => hasSubcommand(node.host, program, words);
    expect([await has('export'), await has('query', 'remes', 'params')]).toEqual([true, true]);
    expect([await has('migrate'), await has('import'), await has('query', 'remes', 'task-pools')]).toEqual([
      false,
      false,
      false,
    ]);
    expect((await node.host.exec([program, 'migrate', '--help'])).exitCode).toBe(0);
  });
});

describe('remesd.query', () => {
  it('[T08] stops the plan when there is no such query', async () => {
    const { problems } = await actionNamed('remesd.query').check(node.host, asking(['remes', 'task-pools']));
    expect(problems).toMatchObject([
      { code: 'SB-ACT-SUBCOMMAND-MISSING', message: expect.stringContaining('query remes task-pools') },
    ]);
  });

  it('[T08] keeps only an answer that has the list', async () => {
    const input = asking(['remes', 'params']);
    for (const answer of ['Usage:\n', '[]', '{"pools": 3}']) {
      await says(answer);
      expect(await codeOf(actionNamed('remesd.query').run(node.host, input, {})), answer).toBe('SB-ACT-EXPORT');
    }
    await says('{"pools": [{"id": "12345678901234567890"}]}');
    const receipt = await actionNamed('remesd.query').run(node.host, input, {});
    expect(receipt).toMatchObject({ count: 1 });
    expect(await readFile(node.host.file('out.json'), 'utf8')).toContain('12345678901234567890');
    expect(await actionNamed('remesd.query').undo(node.host, input, receipt)).toEqual({ removed: true });
  });
});

describe('remesd.export', () => {
  it('[T01] wants the node stopped, and [T02] a file that is a state', async () => {
    const { problems } = await actionNamed('remesd.export').check(node.host, exporting());
    expect(problems).toEqual([]);
    for (const state of ['configuration validated\n{}', '{}', '{"chain_id":"x","app_state":{},"initial_height":"5"}']) {
      await says(state);
      expect(await codeOf(actionNamed('remesd.export').run(node.host, exporting(), {})), state).toBe('SB-ACT-EXPORT');
    }
    await says('{"chain_id":"r3mes-1","app_state":{"remes":{}},"initial_height":"1201"}');
    const receipt = await actionNamed('remesd.export').run(node.host, exporting(), {});
    expect(receipt).toMatchObject({ chainId: 'r3mes-1', height: '1201' });
    expect(await actionNamed('remesd.export').undo(node.host, exporting(), receipt)).toEqual({ removed: true });
    await node.unit({ ActiveState: 'active', MainPID: 7 });
    expect(await codeOf(actionNamed('remesd.export').run(node.host, exporting(), {}))).toBe('SB-ACT-UNIT-ACTIVE');
  });
});
