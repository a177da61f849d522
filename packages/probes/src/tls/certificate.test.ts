import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

it('[T25] tells what a server really presents: names, days left, and whether clients believe it', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const [key, cert] = [host.file('key.pem'), host.file('cert.pem')];
  const made = await host.exec([
    ...([
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '10',
    ] as const),
    ...['-subj', '/CN=api.r3mes.io', '-addext', 'subjectAltName=DNS:api.r3mes.io', '-keyout', key, '-out', cert],
  ]);
  expect(made.exitCode, made.stderr).toBe(0);
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sample = (more: object) =>
    probeByName.get('tls.certificate')?.sample(host, { host: '127.0.0.1', port, ...more }) ?? Promise.reject();
  const good = { name: 'api.r3mes.io', caFile: cert };
  expect(await sample(good)).toEqual({ trusted: true, daysLeft: 9, names: 'api.r3mes.io', issuer: 'api.r3mes.io' });
  expect(await sample({ ...good, name: 'other.r3mes.io' })).toMatchObject({ trusted: false });
  expect(await sample({ name: 'api.r3mes.io' })).toMatchObject({ trusted: false, reason: expect.any(String) });
  expect(await codeOf(sample({ ...good, port: 1 }))).toBe('SB-PROBE-TLS');
});
