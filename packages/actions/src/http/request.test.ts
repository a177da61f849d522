import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const request = actionByName.get('http.request') as Required<Action>;

let host: LocalHost;
let server: Server;
let base: string;
let seen: string[];
let state: string;
/** How the server answers a PUT; the default does what it is told. */
let habit: 'obey' | 'fail' | 'hang up' | 'flood' | 'accept only' | 'refuse';

beforeEach(async () => {
  [host, seen, state, habit] = [await LocalHost.create(), [], 'RUNNING', 'obey'];
  server = createServer((incoming, response) => {
    const { method, url = '', headers } = incoming;
    seen.push(`${method} ${url} ${headers.authorization ?? ''}`.trim());
    if (url === '/status') {
      response.end(JSON.stringify({ connector: { state } }));
      return;
    }
    if (habit === 'hang up') incoming.socket.destroy();
    else if (habit === 'flood') response.writeHead(202).end(Buffer.alloc(20_000_000));
    else if (habit === 'fail') response.writeHead(500).end();
    else if (habit === 'refuse') response.writeHead(409).end();
    else {
      if (habit === 'obey') state = url === '/stop' ? 'STOPPED' : 'RUNNING';
      response.writeHead(202).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await host[Symbol.asyncDispose]();
});

const stop = (): JsonObject => ({
  url: `${base}/stop`,
  method: 'PUT',
  expect: { status: [202, 204] },
  effect: 'reversible',
  undo: { url: `${base}/resume`, method: 'PUT' },
  probe: { url: `${base}/status`, applied: { 'connector.state': 'STOPPED' } },
});

describe('http.request', () => {
  it('sends, sees the effect, and undo takes it back', async () => {
    expect((await request.check(host, stop())).note).toBe('not-applied');
    expect(await request.run(host, stop(), {})).toEqual({ status: 202 });
    expect(state).toBe('STOPPED');
    expect(await request.undo(host, stop(), {})).toEqual({ undone: true });
    expect(state).toBe('RUNNING');
    expect(await request.undo(host, stop(), {})).toEqual({ undone: false });
    expect(seen.filter((line) => line.startsWith('PUT'))).toEqual(['PUT /stop', 'PUT /resume']);
  });

  it('does not take "accepted" for done', async () => {
    habit = 'accept only';
    expect(await codeOf(request.run(host.withFastClock(), stop(), {}))).toBe('SB-ACT-HTTP-UNCLEAR');
  });

  it.each([
    ['refuse', 'SB-ACT-HTTP-REFUSED', 'terminal'],
    ['fail', 'SB-ACT-HTTP-UNCLEAR', 'unknown'],
    ['hang up', 'SB-ACT-HTTP-UNCLEAR', 'unknown'],
    ['flood', 'SB-ACT-HTTP-UNCLEAR', 'unknown'],
  ] as const)('[I5] a server that does "%s" means %s', async (how, code, kind) => {
    habit = how;
    await expect(request.run(host, stop(), {})).rejects.toMatchObject({ failure: { code, class: kind } });
  });

  it('may be tried again when nobody listened', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(request.run(host, stop(), {})).rejects.toMatchObject({
      failure: { code: 'SB-ACT-HTTP-UNREACHABLE', class: 'retryable' },
    });
    expect(await request.check(host, stop())).toMatchObject({ note: 'cannot be asked now', problems: [] });
  });

  it('[I5] the probe compares what the server shows', async () => {
    const ask = (direction: 'do' | 'undo') => request.probe(host, stop(), { direction, receipt: {} });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    state = 'STOPPED';
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    const blind = { url: `${base}/stop`, method: 'PUT', effect: 'irreversible' };
    expect(await request.probe(host, blind, { direction: 'do', receipt: {} })).toBe('cannot-tell');
  });

  it('[I9] a secret goes into the header and nowhere else', async () => {
    host.secrets.set('env:TOKEN', 'Bearer hunter2');
    habit = 'refuse';
    const input = { ...stop(), authorization: { $secret: 'env:TOKEN' } };
    const failure = await request.run(host, input, {}).catch((error: unknown) => error);
    expect(seen).toEqual(['PUT /stop Bearer hunter2']);
    expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2');
  });

  it('[I9] takes no password in a URL, and nothing reversible without a way back', () => {
    const of = (change: object) => request.schema.safeParse({ ...stop(), ...change }).success;
    expect(of({})).toBe(true);
    expect(of({ url: 'http://user:pass@host/x' })).toBe(false);
    expect(of({ url: 'file:///etc/passwd' })).toBe(false);
    expect(of({ undo: undefined })).toBe(false);
  });
});
