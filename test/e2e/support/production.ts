import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import type { R3mesWorld } from './r3mes-world.ts';

/** What people put their names to, in the parts with checklists. */
const PEOPLE = {
  checks: ['rollback-documented', 'alerting-tested', 'load-tested', 'security-audited'],
  before: [
    'data-backed-up',
    'configuration-documented',
    'tested-in-staging',
    'rollback-prepared',
    'users-notified',
    'window-scheduled',
  ],
  after: ['functions-tested', 'metrics-watched', 'documentation-updated', 'backups-archived'],
};

/** Confirms the manual half of a checklist. */
export async function confirmChecks(
  world: R3mesWorld,
  id: string,
  list: keyof typeof PEOPLE = 'checks',
): Promise<void> {
  for (const step of PEOPLE[list].map((name) => `${list}/${name}`)) {
    await world.started(id, step);
    const said = await world.signalbox(['confirm', id, step, '--note', `seen: ${step}`]);
    expect(said.exitCode, said.stderr).toBe(0);
  }
}

/** An address with a certificate for api.r3mes.io that is good for so many days. */
export async function certified(dir: string, days: number): Promise<{ port: number; caFile: string }> {
  const [key, caFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(days)];
  const names = [
    '-subj',
    '/CN=api.r3mes.io',
    '-addext',
    'subjectAltName=DNS:api.r3mes.io',
    '-keyout',
    key,
    '-out',
    caFile,
  ];
  const made = spawnSync('openssl', ['req', '-x509', ...curve, ...names], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const server = createTls({ key: readFileSync(key), cert: readFileSync(caFile) }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, caFile };
}

export async function monitoring(): Promise<string> {
  const server = createHttp((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/-/healthy`;
}
