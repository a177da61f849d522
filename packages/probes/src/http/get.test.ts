import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { valueAt } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const probe = probeByName.get('http.get') as Probe;

let host: LocalHost;
let server: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  server = await new StandInServer().listen();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const sample = (path: string, input: object = {}) =>
  probe.sample(host, { url: `${server.url}${path}`, timeout: '2s', ...input });

describe('http.get', () => {
  it('gives status, time and the body, asked for by path', async () => {
    const text = '{"connector":{"state":"STOPPED"},"offset":9007199254740993}';
    server.answers.set('/x', text);
    const values = await sample('/x');
    expect(values).toMatchObject({ status: 200, bodyBytes: text.length });
    expect(valueAt(values, 'body.connector.state')).toBe('STOPPED');
    expect(valueAt(values, 'body.offset')).toBe('9007199254740993');
    expect(values.tookMs).toBeTypeOf('number');
  });

  it('[T19] shows what a deep address says beside one that is content whatever happens', async () => {
    server.answers.set('/health', { status: 'healthy' });
    server.answers.set('/health/database', { status: 'healthy', database: 'sqlite', path: 'r3mes.db' });
    expect(valueAt(await sample('/health'), 'body.status')).toBe('healthy');
    expect(valueAt(await sample('/health/database'), 'body.database')).toBe('sqlite');
  });

  it('is a sample also when the status is bad: that is what a gate asks for', async () => {
    expect(await sample('/nothing')).toMatchObject({ status: 404 });
  });

  it('keeps pages out of the log', async () => {
    server.answers.set('/page', `<p>${'x'.repeat(5_000)}`);
    server.answers.set('/large', JSON.stringify({ text: 'x'.repeat(100_000) }));
    expect(String((await sample('/page')).body)).toHaveLength(1_000);
    expect(await sample('/large')).not.toHaveProperty('body');
  });

  it('[I9] sends a secret in the header, and shows it to nobody', async () => {
    host.secrets.set('env:TOKEN', 'Bearer hunter2');
    server.answers.set('/x', '{}');
    const values = await sample('/x', { authorization: { $secret: 'env:TOKEN' } });
    expect(server.seen[0]?.authorization).toBe('Bearer hunter2');
    expect(JSON.stringify(values)).not.toContain('hunter2');
  });

  it('is no sample when who answers sends more than anybody can want: headers, a body without an end, or one that grows when it is unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const answers: Record<string, (response: ServerResponse) => void> = {
      '/headers': (response) => response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end('{}'),
      '/many': (response) => {
        for (let n = 0; n < 5_000; n++) response.setHeader(`x-${n}`, 'x');
        response.end('{}');
      },
      '/endless': (response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(100_000, 120)));
        };
        response.on('drain', more);
        more();
      },
      '/bomb': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    };
    const hostile = createServer(({ url = '' }, response) => answers[url]?.(response));
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
    try {
      for (const path of Object.keys(answers)) {
        const asked = probe.sample(host, { url: `${base}${path}`, timeout: '20s' });
        await expect(asked, path).rejects.toMatchObject({
          code: 'SB-PROBE-HTTP',
          message: expect.stringMatching(/AnswerTooLong|UND_ERR_HEADERS_OVERFLOW/),
        });
      }
    } finally {
      hostile.closeAllConnections();
      hostile.close();
    }
  });

  it('[I11] is no sample when nobody answers', async () => {
    await server[Symbol.asyncDispose]();
    expect(await codeOf(sample('/x'))).toBe('SB-PROBE-HTTP');
  });
});
