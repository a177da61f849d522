import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionNamed, StandInNode } from './stand-in-node.ts';

const VALIDATOR = '1B2C3D4E5F60718293A4B5C6D7E8F90112233445';
const OWN = 'A0B1C2D3E4F5061728394A5B6C7D8E9F00112233';
const keyText = (address: string) => JSON.stringify({ address, priv_key: { value: 'c2VjcmV0' } });

let node: StandInNode;
let keyFile: string;

beforeEach(async () => {
  node = await StandInNode.create();
  keyFile = `${node.home}/config/priv_validator_key.json`;
  await mkdir(`${node.home}/config`, { recursive: true });
  await writeFile(keyFile, keyText(OWN), { mode: 0o600 });
});
afterEach(() => node[Symbol.asyncDispose]());

const addressHere = async () => JSON.parse(await readFile(keyFile, 'utf8')).address;

describe('remesd.setKeyAside', () => {
  const action = actionNamed('remesd.setKeyAside');
  const input = () => ({ home: node.home, unit: 'remesd.service' });
  const doIt = async (): Promise<JsonObject> => {
    const { before } = await action.check(node.host, input());
    return { ...before, ...(await action.run(node.host, input(), before)) };
  };
  const ask = (direction: 'do' | 'undo', receipt: JsonObject) =>
    action.probe(node.host, input(), { direction, receipt });

  it('[T06] leaves a node without a key, and gives it back', async () => {
    const receipt = await doIt();
    expect(receipt.address).toBe(OWN);
    expect(await readdir(`${node.home}/config`)).not.toContain('priv_validator_key.json');
    expect(await ask('do', receipt)).toBe('applied');
    expect(await action.undo(node.host, input(), receipt)).toEqual({ restored: true });
    expect(await addressHere()).toBe(OWN);
    expect(await ask('undo', receipt)).toBe('applied');
    expect(await action.undo(node.host, input(), receipt)).toEqual({ restored: false });
  });

  it('[T06] gives it back also when the node has made a key of its own meanwhile, and keeps that one', async () => {
    const receipt = await doIt();
    await writeFile(keyFile, keyText(VALIDATOR));
    await action.undo(node.host, input(), receipt);
    expect(await addressHere()).toBe(OWN);
    expect((await readdir(`${node.home}/config`)).filter((name) => name.includes('.made-'))).toHaveLength(1);
  });

  it('takes no key from a node that runs, in either direction', async () => {
    const receipt = await doIt();
    await node.unit({ ActiveState: 'active', SubState: 'running', MainPID: 4194304 });
    expect(await codeOf(action.undo(node.host, input(), receipt))).toBe('SB-ACT-UNIT-ACTIVE');
    await writeFile(keyFile, keyText(OWN));
    const { before } = await action.check(node.host, input());
    expect(await codeOf(action.run(node.host, input(), before))).toBe('SB-ACT-UNIT-ACTIVE');
  });
});

describe('remesd.adoptKey', () => {
  const action = actionNamed('remesd.adoptKey');
  let key: string;
  const input = (signed: object = {}) => ({
    ...{ home: node.home, unit: 'remesd.service', key, height: 5_000, round: 0, step: 3 },
    ...signed,
  });
  const doIt = async (signed: object = {}): Promise<JsonObject> => {
    const { before } = await action.check(node.host, input(signed));
    return { ...before, ...(await action.run(node.host, input(signed), before)) };
  };

  beforeEach(async () => {
    key = await node.host.write('root/key.json', keyText(VALIDATOR));
  });

  it('[T06] teaches the node what the key has signed before it has the key', async () => {
    const receipt = await doIt();
    expect(await addressHere()).toBe(VALIDATOR);
    expect(await node.signed()).toMatchObject({ height: '5000', round: 0, step: 3 });
    expect(JSON.stringify(receipt)).not.toContain('c2VjcmV0');
    expect(await action.probe(node.host, input(), { direction: 'do', receipt })).toBe('applied');
  });

  it.each([5_001, '9007199254740993'])('[T05] never sets the state back, here from %s', async (height) => {
    await node.sign(height);
    await doIt();
    expect(await node.signed()).toMatchObject({ height: String(height) });
  });

  it('[T06] with the key but not the state, says partial and not applied', async () => {
    const receipt = await doIt();
    await node.sign(4_000);
    expect(await action.probe(node.host, input(), { direction: 'do', receipt })).toBe('partial');
  });

  it('gives the node its own key back, and leaves the state where it is', async () => {
    const receipt = await doIt();
    expect(await action.undo(node.host, input(), receipt)).toEqual({ restored: true });
    expect(await addressHere()).toBe(OWN);
    expect(await node.signed()).toMatchObject({ height: '5000' });
  });

  it('[T06] is not taken back once the key has signed here: the old node does not know of that', async () => {
    const receipt = await doIt();
    await node.sign(5_001);
    expect(await codeOf(action.undo(node.host, input(), receipt))).toBe('SB-ACT-SIGNER-BACKWARD');
    expect(await addressHere()).toBe(VALIDATOR);
  });

  it('refuses a file that is no key, without a word of what is in it', async () => {
    await writeFile(key, 'hunter2');
    const { problems } = await action.check(node.host, input());
    expect(problems.map(({ code }) => code)).toEqual(['SB-ACT-VALIDATOR-KEY']);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});
