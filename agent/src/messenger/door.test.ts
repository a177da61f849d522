import type { Delivery } from '@signalbox/bus';
import { MAX_MESSAGE_BYTES } from '@signalbox/protocol';
import { verifySignature } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { fakeBus } from '../testing/fake-bus.ts';
import { carried, doorAt, key, visitor, WAY } from '../testing/messenger.ts';

const bytes = (text: string) => Buffer.from(text);
const text = (data: Uint8Array | undefined) => data && Buffer.from(data).toString();

describe('the bus of a runner, behind a messenger', () => {
  it('brings what comes, and carries back what is made of it', async () => {
    const { door, path } = await doorAt();
    const heard: Delivery[] = [];
    await door.bus.controls(async () => {
      throw new Error('the disk is full');
    });
    await door.bus.commands(async (delivery) => void heard.push(delivery));
    await door.bus.answer('sample', async (data) => bytes(`${text(data)}!`));
    door.open(WAY, key);
    const { mesh } = await carried(path, fakeBus());
    await until('the runner to be connected', () => door.bus.connected);

    const delivered = mesh.deliver('c1', bytes('a command'));
    await until('the command', () => heard.length === 1);
    expect([heard[0]?.id, text(heard[0]?.data)]).toEqual(['c1', 'a command']);
    await delivered.handled;
    heard[0]?.working();
    heard[0]?.ack();
    await until('the acknowledgement', () => delivered.verdict === 'acked' && delivered.working === 1);
    await expect(mesh.deliverControl('k1', bytes('x')).handled).rejects.toThrow('could not take it');
    expect(text(await mesh.ask('sample', bytes('7')))).toBe('7!');

    await door.bus.report('run-1', bytes('done'));
    expect(mesh.published.map(({ run, data }) => [run, text(data)])).toEqual([['run-1', 'done']]);
    mesh.full = Object.assign(new Error('no'));
    await expect(door.bus.report('run-1', bytes('more'))).rejects.toMatchObject({ code: 'SB-AGENT-MESSENGER' });
    mesh.reply = (beat) => bytes(`heard ${text(beat)}`);
    expect(text(await door.bus.beat(bytes('beat')))).toBe('heard beat');
    mesh.reply = () => undefined;
    expect(await door.bus.beat(bytes('beat'))).toBeUndefined();
  });

  it('is lost with its messenger, and whole with the next one', async () => {
    const { door, path } = await doorAt();
    const seen: boolean[] = [];
    door.bus.onConnection((connected) => seen.push(connected));
    await door.bus.answer('settle', async () => bytes('yes'));
    door.open(WAY, key);
    const first = await carried(path, fakeBus());
    await until('the first to carry', () => door.bus.connected);
    const waiting = door.bus.report('r', bytes('owed'));
    first.mesh.full = new Error('never');
    first.socket.destroy();
    await waiting.catch(() => {});
    await until('the loss to be noticed', () => !door.bus.connected);
    await expect(door.bus.report('r', bytes('owed'))).rejects.toMatchObject({ code: 'SB-AGENT-MESSENGER' });
    expect(await door.bus.beat(bytes('beat'))).toBeUndefined();
    const second = await carried(path, fakeBus());
    await until('the second to carry', () => door.bus.connected);
    expect(text(await second.mesh.ask('settle', bytes('')))).toBe('yes');
    expect(seen).toEqual([false, true, false, true]);
  });

  it('tells who comes why there is no runner, and lets the last that came carry', async () => {
    const { door, path } = await doorAt();
    door.open(WAY, key);
    const first = await carried(path, fakeBus());
    await carried(path, fakeBus());
    await first.line.closed;
    const failure = { code: 'SB-HOST-DUPLICATE', class: 'terminal' as const, message: 'twice', next: 'stop one' };
    const third = await visitor(path);
    const refused = door.refuse(failure, 2);
    third.line.send({ type: 'here' });
    await refused;
    await until('the reason', () => third.told.find(({ type }) => type === 'refused'));
  });
});

describe('who has taken the messenger over', () => {
  it('has challenges of servers signed, and nothing that a host says', async () => {
    const { door, path } = await doorAt();
    const asking = await visitor(path);
    // Before the runner has its key, too.
    asking.line.send({ type: 'sign', challenge: 'fQ3_x-0aPzR7b1w' });
    door.open(WAY, key);
    await asking.line.closed;
    const [signed] = asking.told;
    if (signed?.type !== 'signed') throw new Error('nothing was signed');
    expect(verifySignature(signed.key, bytes('fQ3_x-0aPzR7b1w'), Buffer.from(signed.sig, 'base64'))).toBe(true);

    for (const challenge of ['signalbox/v1/report\n{}', 'a b c d e f g h', 'a'.repeat(65), '{"run":"x"}', '']) {
      const { line, told } = await visitor(path);
      line.send({ type: 'sign', challenge });
      await line.closed;
      expect(told).toEqual([]);
    }
  });

  it('has nothing signed where the runner speaks to the mesh itself', async () => {
    const { door, path } = await doorAt();
    const early = await visitor(path);
    early.line.send({ type: 'sign', challenge: 'fQ3_x-0aPzR7b1w' });
    door.rest('privileges: root');
    await early.line.closed;
    const late = await visitor(path);
    late.line.send({ type: 'sign', challenge: 'fQ3_x-0aPzR7b1w' });
    await late.line.closed;
    expect([...early.told, ...late.told]).toEqual([]);
  });

  it.each([
    ['what is no message', 'nonsense\n'],
    ['a message of another kind', '{"type":"run","argv":["id"]}\n'],
    ['more than a message has', '{"type":"here","now":true}\n'],
    ['before it has said that it is there', '{"type":"connected","connected":true}\n'],
    ['data that is none', '{"type":"here"}\n{"type":"delivery","lane":"commands","n":1,"id":"x","data":"*"}\n'],
    ['a line without end', 'x'.repeat(2 * MAX_MESSAGE_BYTES + 1)],
  ])('is not listened to: %s', async (_, said) => {
    const { door, path } = await doorAt();
    door.open(WAY, key);
    const { socket, line } = await visitor(path);
    socket.write(said);
    await line.closed;
    expect(door.bus.connected).toBe(false);
    await carried(path, fakeBus());
  });
});
