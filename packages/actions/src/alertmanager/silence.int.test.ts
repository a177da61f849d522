import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, hasAlertmanager, LocalHost, RealAlertmanager, requireReal, until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const real = requireReal('Alertmanager (Debian: prometheus-alertmanager)', hasAlertmanager());
const silence = actionByName.get('alertmanager.silence') as Required<Action>;

let host: LocalHost;
let remediation: Server;
let alertmanager: RealAlertmanager;
/** What brings back services that were stopped, at every alert. */
let brought = 0;
beforeAll(async () => {
  if (!real) return;
  host = await LocalHost.create();
  remediation = createServer((request, response) => {
    brought += 1;
    request.resume();
    response.end();
  }).listen(0, '127.0.0.1');
  await once(remediation, 'listening');
  alertmanager = await RealAlertmanager.start(`http://127.0.0.1:${(remediation.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  await alertmanager?.[Symbol.asyncDispose]();
  remediation?.closeAllConnections();
  remediation?.close();
  await host?.[Symbol.asyncDispose]();
});

const input = (more: JsonObject = {}): JsonObject =>
  Object(
    silence.schema.parse({
      url: alertmanager.url,
      name: 'services-move-1',
      matchers: [{ name: 'namespace', value: 'fast-data' }],
      for: '2h',
      ...more,
    }),
  );
const fire = (alertname: string) => alertmanager.fire({ alertname, namespace: 'fast-data' });
const stateOf = (alertname: string, state: string) =>
  until(`${alertname} to be ${state}`, async () => (await alertmanager.states())[alertname] === state);

describe.runIf(real)('alertmanager.silence', () => {
  it('[T76] keeps alerts, and what acts on them, from working against a cutover, with an end; undo gives them back', async () => {
    // The naive way: services are stopped on purpose, and remediation starts them again.
    await fire('Stopped');
    await until('remediation to work against it', () => brought === 1);

    const { before } = await silence.check(host, input());
    expect(before).toEqual({ silenced: false });
    expect(await silence.run(host, input(), before)).toEqual({});
    expect(await silence.probe(host, input(), { direction: 'do', receipt: before })).toBe('applied');
    const [made] = Object(await (await fetch(`${alertmanager.url}/api/v2/silences`)).json());
    const hours = (Date.parse(made.endsAt) - Date.now()) / 3_600_000;
    expect([made.status.state, made.comment]).toEqual(['active', 'services-move-1: a cutover']);
    expect(hours).toBeGreaterThan(1.9);
    expect(hours).toBeLessThan(2.1);
    await fire('Unreachable');
    await stateOf('Unreachable', 'suppressed');
    // Once more, as after a crash of the agent: there is one silence, and not two.
    await silence.run(host, input(), before);
    expect(Object(await (await fetch(`${alertmanager.url}/api/v2/silences`)).json())).toHaveLength(1);
    expect(brought).toBe(1);

    // At the end of the run, and back when that is taken back.
    const over = input({ silenced: false });
    const { before: during } = await silence.check(host, over);
    expect(during).toEqual({ silenced: true });
    await silence.run(host, over, during);
    await until('remediation to work again', () => brought === 2);
    await silence.undo(host, over, during);
    await stateOf('Unreachable', 'suppressed');

    await silence.undo(host, input(), before);
    await silence.undo(host, input(), before);
    await stateOf('Unreachable', 'active');
    expect(await silence.probe(host, input(), { direction: 'undo', receipt: before })).toBe('applied');
  });

  it('leaves silences of others and of other runs alone, and says what is no Alertmanager', async () => {
    await silence.run(host, input({ name: 'services-move-10' }), {});
    const { before } = await silence.check(host, input());
    expect(before).toEqual({ silenced: false });
    await silence.undo(host, input({ name: 'services-move-10' }), { silenced: false });
    expect(await codeOf(silence.undo(host, input(), {}))).toBe('SB-ACT-NO-RECEIPT');
    const elsewhere = input({ url: `http://127.0.0.1:${(remediation.address() as AddressInfo).port}` });
    expect((await silence.check(host, elsewhere)).problems.map(({ code }) => code)).toEqual(['SB-ACT-ALERTMANAGER']);
    const bad = input({ matchers: [{ name: 'namespace', value: '(', isRegex: true }] });
    expect(await codeOf(silence.run(host, bad, {}))).toBe('SB-ACT-ALERTMANAGER');
  });
});
