import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { reachedIn, reachTable } from '@signalbox/protocol';
import { LocalHost } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

async function ports() {
  const open = createServer((socket) => socket.end());
  const gone = createServer();
  for (const server of [open, gone]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [yes, no] = [open, gone].map((server) => (server.address() as AddressInfo).port);
  gone.close();
  await once(gone, 'close');
  onTestFinished(() => void open.close());
  return { yes, no };
}

async function sample(input: object) {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const probe = probeByName.get('net.reach');
  if (!probe) throw new Error('no probe');
  return await probe.sample(host, probe.schema.parse(input));
}

it('names what does not answer and why, and fails only for those who need it', async () => {
  const { yes, no } = await ports();
  const endpoints = [
    { name: 'mongodb-old', address: `127.0.0.1:${yes}` },
    { name: 'kafka-new', address: `127.0.0.1:${no}`, neededBy: ['ops'] },
    { name: 'registry', address: 'no-such-host.invalid:443', neededBy: ['kube'] },
    // Who answers there speaks no TLS.
    { name: 'kafka-tls', address: `127.0.0.1:${yes}`, tls: true, neededBy: ['kube'] },
  ];
  const values = await sample({ endpoints, as: 'ops' });
  expect(values).toMatchObject({ reached: 1, missing: 1, unreached: `kafka-new (127.0.0.1:${no}): refused` });
  expect(reachTable([{ host: 'ops-1', reached: reachedIn(values) }])).toEqual([
    ['from', 'mongodb-old', 'kafka-new', 'registry', 'kafka-tls'],
    [
      'ops-1',
      expect.stringMatching(/^\d+ ms$/),
      'REFUSED',
      expect.stringMatching(/^\(no such name/),
      '(closed at once)',
    ],
  ]);
  expect(await sample({ endpoints, as: 'kube' })).toMatchObject({ missing: 2 });
  const fine = await sample({ endpoints: endpoints.slice(0, 1) });
  expect(fine).toMatchObject({ reached: 1, missing: 0 });
  expect(fine).not.toHaveProperty('unreached');
});

it('waits no longer than it is told for somebody who says nothing', async () => {
  const silent = createServer(() => undefined);
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void silent.close());
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const values = await sample({ endpoints: [{ name: 'mute', address, tls: true }], within: '200ms' });
  expect(values).toMatchObject({ missing: 1, unreached: `mute (${address}): no answer` });
});

it('takes no address that is none, and none with a login in it', () => {
  const probe = probeByName.get('net.reach');
  for (const address of ['kafka', 'kafka:port', 'user:secret@kafka:9092', 'mongodb://kafka:9092']) {
    expect([address, probe?.schema.safeParse({ endpoints: [{ name: 'x', address }] }).success]).toEqual([
      address,
      false,
    ]);
  }
});
