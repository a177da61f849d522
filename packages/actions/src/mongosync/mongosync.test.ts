import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HostContext } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';

let host: LocalHost;
let server: Server;
let api: string;
let posted: string[];
/** What mongosync says of itself; each question takes the first, and the last one stays. */
let says: { state: string; canCommit?: boolean; canWrite?: boolean }[];

beforeEach(async () => {
  [host, posted, says] = [await LocalHost.create(), [], [{ state: 'IDLE' }]];
  server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      posted.push(`${request.url} ${await text(request)}`);
      response.end('{"success":true}');
      return;
    }
    const progress = says.length > 1 ? says.shift() : says[0];
    response.writeHead(progress?.state === 'silent' ? 500 : 200).end(JSON.stringify({ progress }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await host[Symbol.asyncDispose]();
});

function bound(name: string, more: object = {}) {
  const action = actionByName.get(name);
  if (!action) throw new Error(`no action ${name}`);
  return { action, input: action.schema.parse({ api, ...more }) };
}
const run = (name: string, more?: object) => {
  const { action, input } = bound(name, more);
  return action.run(host.withFastClock(), input, {});
};

describe('[T39] mongosync', () => {
  it('is started once, with a body, and is waited for while it does not tell its progress', async () => {
    says = [{ state: 'IDLE' }, { state: 'silent' }, { state: 'silent' }, { state: 'RUNNING' }];
    await run('mongosync.start');
    expect(posted).toEqual(['/api/v1/start {"source":"cluster0","destination":"cluster1","reversible":false}']);
    await run('mongosync.start');
    expect(posted).toHaveLength(1);
  });

  it('is waited for when its process has only just been started, and not for ever', async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { action, input } = bound('mongosync.start');
    expect(await codeOf(Promise.resolve(action.run(host.withFastClock(), input, {})))).toBe('SB-ACT-HTTP-UNREACHABLE');
    says = [{ state: 'IDLE' }, { state: 'RUNNING' }];
    const sleep = async () => {
      if (!server.listening) await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    };
    const late: HostContext = Object.create(host.withFastClock(), { sleep: { value: sleep } });
    await action.run(late, input, {});
    expect(posted).toHaveLength(1);
  });

  it('is not asked to commit while it says that it cannot', async () => {
    says = [{ state: 'RUNNING', canCommit: false }];
    expect(await codeOf(run('mongosync.commit'))).toBe('SB-ACT-MONGOSYNC');
    expect(posted).toEqual([]);
  });

  it('has committed when the destination may be written to, and not when it says COMMITTED', async () => {
    says = [
      { state: 'RUNNING', canCommit: true },
      { state: 'COMMITTING' },
      { state: 'COMMITTED', canWrite: false },
      { state: 'COMMITTED', canWrite: true },
    ];
    await run('mongosync.commit');
    expect(posted).toEqual(['/api/v1/commit {}']);
    expect(says).toHaveLength(1);
  });

  it('[I5] a commit that was sent and not shown is unknown', async () => {
    says = [{ state: 'RUNNING', canCommit: true }, { state: 'COMMITTING' }];
    expect(await codeOf(run('mongosync.commit'))).toBe('SB-ACT-HTTP-UNCLEAR');
    const { action, input } = bound('mongosync.commit');
    expect(await action.probe(host, input, { direction: 'do', receipt: {} })).toBe('in-progress');
  });

  it('stops a plan in a state in which it cannot be started, and not when it does not run yet', async () => {
    says = [{ state: 'PAUSED' }];
    const { action, input } = bound('mongosync.start');
    expect((await action.check(host, input)).problems.map(({ code }) => code)).toEqual(['SB-ACT-MONGOSYNC']);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await action.check(host, input)).toMatchObject({ problems: [], note: 'mongosync does not run yet' });
  });

  it('keeps a way back only together with its own write block', () => {
    const { action } = bound('mongosync.start');
    expect(action.schema.safeParse({ reversible: true }).success).toBe(false);
    expect(action.schema.safeParse({ reversible: true, writeBlocking: true }).success).toBe(true);
  });
});
