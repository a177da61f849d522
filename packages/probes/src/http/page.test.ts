import { LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const probe = probeByName.get('http.page') as Probe;

let host: LocalHost;
let web: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  web = await new StandInServer().listen();
});
afterEach(async () => {
  await web[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const sample = (contains: string[], absent: string[] = []) =>
  probe.sample(host, { url: `${web.url}/`, contains, absent, timeout: '5s' });

describe('http.page', () => {
  it('looks into the scripts that the page names, and into no other server’s', async () => {
    web.answers.set(
      '/',
      '<script src="/_next/app-1.js"></script><link rel="preload" href="b.js" as="script"><script src="https://cdn.invalid/x.js"></script>',
    );
    web.answers.set('/_next/app-1.js', 'fetch("https:\\u002F\\u002Fapi.r3mes.io"+p)');
    expect(await sample(['https://api.r3mes.io', 'wss://api'], ['/_next/app'])).toEqual({
      status: 200,
      scripts: 1,
      brokenScripts: 1,
      missing: 1,
      missingTexts: 'wss://api',
      stale: 1,
      staleTexts: '/_next/app',
    });
  });

  it('[I11] says nothing of texts when there is no page', async () => {
    expect(await sample([], ['http://localhost'])).toEqual({ status: 404 });
  });
});
