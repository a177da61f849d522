import { freePorts, until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareClient } from './support/bare-client.ts';
import { dial, dialGate } from './support/dial.ts';
import { openWebhook, type Webhook } from './support/webhook.ts';
import { workStep } from './support/work.ts';
import { World } from './support/world.ts';

const PAGE_EVERY_SECONDS = 0.3;

let world: World;
let webhook: Webhook;
let http: string;
beforeAll(async () => {
  webhook = await openWebhook();
  const [port = 0] = await freePorts(1);
  http = `http://127.0.0.1:${port}`;
  const pages = { pages: [{ url: webhook.url }], pageEverySeconds: PAGE_EVERY_SECONDS };
  world = await World.start({ coordinator: { http: { port }, ...pages } });
});
afterAll(async () => {
  await world.end();
  webhook.close();
});

interface Heard {
  readonly subject: string;
  readonly event: { type: string; data: Record<string, unknown> } & Record<string, unknown>;
}

/** Everything that the status subjects carry, with nothing of ours to read it. */
async function listen(): Promise<Heard[]> {
  const { url, keys } = world.mesh.nats;
  const monitor = await bareClient({ url, seed: keys.monitor.seed, publicKey: keys.monitor.publicKey });
  const heard: Heard[] = [];
  monitor.subscribe('sb.e2e.status.>', {
    callback: (_, { subject, data }) => heard.push({ subject, event: JSON.parse(new TextDecoder().decode(data)) }),
  });
  await monitor.flush();
  return heard;
}

describe('a monitoring system that knows nothing of Signalbox', () => {
  it('hears hosts, steps, gates and runs as CloudEvents 1.0', async () => {
    const heard = await listen();
    const lag = await dial(3);
    const run = await world.begin(world.runbook('seen', workStep('done') + dialGate('in-sync', lag)));
    const data = (type: string) => heard.filter(({ event }) => event.type === type).map(({ event }) => event.data);
    await until('a sample that is too high', () =>
      data('dev.signalbox.gate.sampled').some(({ values }) => JSON.stringify(values).includes('"value":3')),
    );
    lag.set(0);
    await until('the end of the run', () =>
      data('dev.signalbox.run.changed').some(({ status }) => status === 'completed'),
    );
    await until('both hosts', () => new Set(data('dev.signalbox.host.health').map(({ host }) => host)).size === 2);

    for (const { subject, event } of heard) {
      expect(event).toMatchObject({
        specversion: '1.0',
        id: expect.stringMatching(/./),
        source: expect.stringContaining('signalbox/e2e'),
        type: expect.stringMatching(/^dev\.signalbox\./),
        datacontenttype: 'application/json',
      });
      expect(Number.isNaN(Date.parse(String(event.time)))).toBe(false);
      expect(subject.startsWith('sb.e2e.status.')).toBe(true);
    }
    const ids = heard.map(({ event }) => `${event.source} ${event.id}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(data('dev.signalbox.step.changed')).toContainEqual(
      expect.objectContaining({ run, step: 'done', host: 'a-1', direction: 'do', attempt: 1, phase: 'succeeded' }),
    );
    expect(data('dev.signalbox.run.changed')[0]).toMatchObject({ run, runbook: 'seen', reversible: true });
  });

  it('may listen and nothing else', async () => {
    const { url, keys } = world.mesh.nats;
    const monitor = await bareClient({ url, seed: keys.monitor.seed, publicKey: keys.monitor.publicKey });
    const refused = (async () => {
      for await (const { type, data } of monitor.status()) if (type === 'error') return String(data);
      return 'the connection ended';
    })();
    monitor.publish('sb.e2e.cmd.a-1.x', new TextEncoder().encode('{}'));
    expect(await refused).toMatch(/PERMISSIONS_VIOLATION/i);
  });

  it('finds agents and coordinator with the services protocol of NATS', async () => {
    const { url, keys } = world.mesh.nats;
    const core = await bareClient({ url, seed: keys.coordinator.seed, publicKey: keys.coordinator.publicKey });
    const found: string[] = [];
    for await (const { data } of await core.requestMany('$SRV.PING', undefined, { maxWait: 1_000 })) {
      const { name, metadata } = JSON.parse(new TextDecoder().decode(data));
      found.push([name, metadata.host].filter((part) => part !== undefined).join(' '));
    }
    expect(found.sort()).toEqual(['signalbox-agent a-1', 'signalbox-agent a-2', 'signalbox-coordinator']);
  });
});

describe('Prometheus', () => {
  const metrics = async () => await (await fetch(`${http}/metrics`)).text();

  it('scrapes runs by status, steps, gate values, hosts by health, and the bus', async () => {
    const lag = await dial(5);
    const run = await world.begin(world.runbook('scraped', workStep('done') + dialGate('in-sync', lag)));
    const text = await until('the gate to be sampled', async () => {
      const scraped = await metrics();
      return scraped.includes('signalbox_gate_value{') && scraped;
    });
    expect(text).toMatch(/^signalbox_runs\{status="running"\} 1$/m);
    expect(text).toMatch(/^signalbox_hosts\{state="online"\} 2$/m);
    expect(text).toMatch(/^signalbox_bus_connected 1$/m);
    expect(text).toMatch(/^signalbox_bus_reconnects_total 0$/m);
    expect(text).toMatch(/^signalbox_step_duration_seconds_bucket\{.*le="1".*step="done".*outcome="succeeded"\} \d+$/m);
    expect(text).toMatch(/^# HELP signalbox_gate_value /m);
    lag.set(0);
    await world.event(run, 'Ended');
    await until(
      'the run to be gone from the gauge',
      async () => !(await metrics()).includes('signalbox_runs{status="running"}'),
    );
  });

  it('/healthz is well while NATS is there', async () => {
    const answer = await fetch(`${http}/healthz`);
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
    expect((await fetch(`${http}/elsewhere`)).status).toBe(404);
  });
});

describe('paging', () => {
  it('posts when a run is held, again and again, until somebody acknowledges', async () => {
    const failing = '- id: broken\n  hosts: first\n  do: exec.run\n  with: { argv: ["false"], effect: read }\n';
    const run = await world.begin(world.runbook('paged', failing, 'onFailure: hold\n'));
    const pages = () =>
      webhook.posts.flatMap(({ body }) => (JSON.stringify(body).includes(`"run":"${run}"`) ? [body] : []));
    await until('three pages', () => pages().length >= 3);
    expect(webhook.posts[0]?.contentType).toBe('application/cloudevents+json');
    expect(pages()[0]).toMatchObject({
      specversion: '1.0',
      type: 'dev.signalbox.page',
      data: { run, why: 'held', repeat: 0, next: expect.stringContaining(`signalbox status ${run} --why`) },
    });
    expect(pages()[2]).toMatchObject({ data: { repeat: 2 } });

    expect((await world.signalbox(['acknowledge', run])).exitCode).toBe(0);
    const [count, acknowledgedMs] = [pages().length, performance.now()];
    // Four times as long as between two pages, spent with looking.
    await until('time to pass', async () => {
      await world.operator.ask('ping', {});
      return performance.now() - acknowledgedMs > 4_000 * PAGE_EVERY_SECONDS;
    });
    expect(pages()).toHaveLength(count);
    expect(world.logText('coordinator')).not.toContain('token=hidden');
    expect((await world.signalbox(['status', run])).stdout).toContain('page acknowledged by operator');
  });

  it('asks for an approval that is wanted, and stops when it is given', async () => {
    const run = await world.begin(world.runbook('wanted', '- id: go\n  approve: { count: 1 }\n'));
    const wanted = () => webhook.posts.filter(({ body }) => JSON.stringify(body).includes(`"run":"${run}"`));
    await until('a page', () => wanted().length > 0);
    expect(wanted()[0]?.body).toMatchObject({ data: { why: 'approval-wanted' } });
    expect((await world.signalbox(['approve', run, 'go'])).exitCode).toBe(0);
    await world.event(run, 'Ended');
  });
});
