import { createServer, type Socket } from 'node:net';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAgent } from './agent-bus.ts';
import { dial } from './connect.ts';
import { connectCoordinator } from './coordinator-bus.ts';
import { bytes, codeOf, startLab, text, until } from './test-fixture.ts';

/** Something that speaks just enough NATS to be asked who it is; the real one cannot be had in so old a version. */
async function startSayingInfo(info: object, refusals = 0) {
  let refused = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const refuses = refused++ < refusals;
    const answer = refuses ? "-ERR 'Authorization Violation'\r\n" : 'PONG\r\n';
    socket.on('data', (data) => data.includes('PING') && socket.write(answer));
    socket.write(`INFO ${JSON.stringify({ server_id: 'x', max_payload: 1_048_576, headers: true, ...info })}\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `nats://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` };
}

function options(url: string, connectTimeoutMs = 2_000) {
  return { servers: [url], mesh: 'lab', seed: createKeyPair().seed, name: 'test', connectTimeoutMs };
}

describe('connecting', () => {
  it('says SB-BUS-UNREACHABLE with the address, when its time is over', async () => {
    const startedAt = performance.now();
    const failing = connectCoordinator(options('nats://127.0.0.1:1', 300));
    await expect(failing).rejects.toThrow(/SB-BUS-UNREACHABLE: .*nats:\/\/127\.0\.0\.1:1 for 300 ms/);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('waits for a server that comes later', async () => {
    const lab = await startLab();
    await lab.mesh.server.stop();
    const waiting = lab.coordinator({ connectTimeoutMs: 0 });
    await lab.mesh.restart();
    expect((await waiting).connected).toBe(true);
  });

  it('gives up waiting when it is told to', async () => {
    const giveUp = new AbortController();
    const waiting = connectCoordinator({ ...options('nats://127.0.0.1:1', 0), signal: giveUp.signal });
    giveUp.abort(new Error('SIGTERM'));
    await expect(waiting).rejects.toThrow();
  });

  it('does not take a server at its word that is being reconfigured and refuses a key for a moment', async () => {
    const fit = { version: '2.14.0', jetstream: true };
    const moment = await startSayingInfo(fit, 2);
    const link = await dial(options(moment.url));
    expect(link.connected).toBe(true);
    await link.close();
    const longer = await startSayingInfo(fit, 3);
    expect(await codeOf(() => dial(options(longer.url)))).toBe('SB-BUS-AUTH');
  });

  it('says SB-BUS-AUTH soon to a key that nobody enrolled, however long it could wait', async () => {
    const lab = await startLab();
    expect(await codeOf(() => connectCoordinator(options(lab.mesh.url, 0)))).toBe('SB-BUS-AUTH');
  });

  it.each([
    ['SB-BUS-TOO-OLD', { version: '2.9.10', jetstream: true }],
    ['SB-BUS-NO-JETSTREAM', { version: '2.14.0' }],
  ])('says %s to a server that is of no use', async (code, info) => {
    const server = await startSayingInfo(info);
    expect(await codeOf(() => connectCoordinator(options(server.url)))).toBe(code);
  });

  it('says SB-BUS-DENIED to the key of an operator who tries to be a coordinator', async () => {
    const lab = await startLab();
    const { seed } = lab.mesh.operatorKey();
    expect(await codeOf(() => connectCoordinator({ ...options(lab.mesh.url), seed }))).toBe('SB-BUS-DENIED');
  });

  it('says SB-BUS-SUBJECT to a name that NATS would read as something else', async () => {
    const named = { ...options('nats://127.0.0.1:1'), host: 'a.*' };
    expect(await codeOf(() => connectAgent(named))).toBe('SB-BUS-SUBJECT');
  });

  it('inspects the server for the doctor', async () => {
    const lab = await startLab();
    const { healthUrl } = lab.mesh.server;
    const coordinator = await lab.coordinator(healthUrl === undefined ? {} : { healthUrl });
    await coordinator.prepare([]);
    const found = await coordinator.inspect();
    expect(found).toMatchObject({ jetstream: true, healthy: true, serverName: 'signalbox-lab' });
    expect(found.streams.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['CMD', 'CTL', 'REPORT', 'RUN', 'AUDIT', 'BLOB', 'OUTPUT']),
    );
  });
});

describe('what nobody waits for', () => {
  it('is sent in order, the rest of it before the connection is closed', async () => {
    const lab = await startLab();
    const [coordinator, operator] = [await lab.coordinator(), await lab.operator()];
    const heard: string[] = [];
    await operator.status((_, data) => heard.push(text(data)));
    const said = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `s${from + i}`);
    for (const event of said(0, 3)) coordinator.publishStatus('step', 'r', bytes(event));
    await until(() => heard.length === 3);
    for (const event of said(3, 8)) coordinator.publishStatus('step', 'r', bytes(event));
    await coordinator.close();
    await until(() => heard.length === 8);
    expect(heard).toEqual(said(0, 8));
    coordinator.publishStatus('step', 'r', bytes('too late'));
    expect(await codeOf(() => coordinator.append('r', bytes('entry'), 0))).toBe('SB-BUS-OFFLINE');
  });
});
