import { appendFile, rename, truncate, writeFile } from 'node:fs/promises';
import type { Json } from '@signalbox/protocol';
import { LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';

const probe = probeByName.get('nginx.requests') as Probe;
const line = (status: number, path = '/') =>
  `127.0.0.1 - - [21/Nov/2026:17:00:00 +0000] "GET ${path} HTTP/1.1" ${status} 12 "-" "curl"\n`;

let host: LocalHost;
let log: string;
beforeEach(async () => {
  host = await LocalHost.create();
  log = await host.write('access.log', line(200) + line(502));
});
afterEach(() => host[Symbol.asyncDispose]());
const sample = (since?: Json, ignore: string[] = []) =>
  probe.sample(host, { log, ignore, ...(since !== undefined && { since }) });

describe('nginx.requests', () => {
  it('counts what came since, whatever users write into their requests', async () => {
    const { position } = await sample();
    expect(await sample(position)).toEqual({ position, requests: 0, failed: 0 });
    const begun = line(503).slice(0, 60);
    await appendFile(log, line(200) + line(404) + line(500) + line(499) + line(200, '/\\x22 500 x') + begun);
    const second = await sample(position);
    expect(second).toMatchObject({ requests: 5, failed: 2 });
    // A request whose line was still being written is counted when it is whole, and once.
    await appendFile(log, line(503).slice(60));
    expect(await sample(second.position)).toMatchObject({ requests: 1, failed: 1 });
  });

  it('does not count those of health checks, when it is told their paths', async () => {
    const all = line(200, '/-/healthz?from=lb') + line(503, '/-/healthz') + line(200, '/-/healthz/') + line(200);
    const { position } = await sample();
    await appendFile(log, all);
    expect(await sample(position, ['/-/healthz'])).toMatchObject({ requests: 2, failed: 0 });
  });

  it('goes on in the next log when the one before was rotated, however much is in it', async () => {
    const { position } = await sample();
    await appendFile(log, line(200) + line(500));
    await rename(log, `${log}.1`);
    await writeFile(log, line(200).repeat(9) + line(504));
    const second = await sample(position);
    expect(second).toMatchObject({ requests: 12, failed: 2 });
    await appendFile(log, line(200));
    expect(await sample(second.position)).toMatchObject({ requests: 1, failed: 0 });
  });

  it('[I11] says nothing of requests when a part of what was logged since is gone', async () => {
    const { position } = await sample();
    for (const older of [2, 1]) {
      await rename(log, `${log}.${older}`);
      await writeFile(log, line(200).repeat(9));
    }
    expect(Object.keys(await sample(position))).toEqual(['position']);
    const now = await sample();
    await truncate(log);
    expect(Object.keys(await sample(now.position))).toEqual(['position']);
  });
});
