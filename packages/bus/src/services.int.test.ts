import { RequestStrategy, type ServiceIdentity } from 'nats';
import { describe, expect, it } from 'vitest';
import { AGENT_SERVICE, COORDINATOR_SERVICE } from './service-names.ts';
import { bytes, codeOf, startLab, text, until } from './test-fixture.ts';

async function collect<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

const byHost = (found: ServiceIdentity[]) =>
  found.map(({ name, metadata }) => `${name} ${metadata?.host ?? ''}`).sort();

describe('discovery', () => {
  it('shows agents and coordinator to any NATS tool in CORE, by PING, INFO and STATS', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator({ version: '0.1.0' });
    await coordinator.serve(['runs', 'start'], async () => bytes('ok'));
    for (const host of ['a1', 'a2']) {
      await (await lab.agent(host, { version: '0.1.0' })).answer('sample', async () => bytes('ok'));
    }
    await coordinator.query('a1', 'sample', bytes(''), 1_000);

    const tool = (await lab.bare(lab.mesh.keys.coordinator)).services.client({
      maxWait: 500,
      strategy: RequestStrategy.Timer,
    });
    const everybody = [`${AGENT_SERVICE} a1`, `${AGENT_SERVICE} a2`, `${COORDINATOR_SERVICE} `];
    expect(byHost(await collect(await tool.ping()))).toEqual(everybody);
    expect(byHost(await collect(await tool.info()))).toEqual(everybody);
    expect(byHost(await collect(await tool.ping(AGENT_SERVICE)))).toEqual(everybody.slice(0, 2));
    const stats = (await collect(await tool.stats(AGENT_SERVICE))).find(({ metadata }) => metadata?.host === 'a1');
    expect(stats?.endpoints?.[0]).toMatchObject({ name: 'sample', subject: 'sb.lab.query.a1.sample', num_requests: 1 });
    expect(stats?.metadata).toMatchObject({ mesh: 'lab', version: '0.1.0' });
  });
});

describe('queries', () => {
  it('[I11] give undefined, and no answer, for a host that is silent or slow', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    expect(await coordinator.query('a1', 'sample', bytes(''), 1_000)).toBeUndefined();
    await (await lab.agent('a1')).answer('sample', () => new Promise(() => {}));
    expect(await coordinator.query('a1', 'sample', bytes(''), 100)).toBeUndefined();
  });

  it('say SB-BUS-REMOTE when the other side failed, and go on', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    const agent = await lab.agent('a1');
    const stop = await agent.answer('sample', async (data) => {
      if (text(data) === 'bad') throw new Error('no such\nprobe');
      return data;
    });
    expect(await codeOf(() => coordinator.query('a1', 'sample', bytes('bad'), 1_000))).toBe('SB-BUS-REMOTE');
    expect(text(await coordinator.query('a1', 'sample', bytes('good'), 1_000))).toBe('good');
    await stop();
    expect(await coordinator.query('a1', 'sample', bytes('good'), 1_000)).toBeUndefined();
    await agent.answer('sample', async () => bytes('again'));
    expect(text(await coordinator.query('a1', 'sample', bytes('good'), 1_000))).toBe('again');
  });
});

describe('operators', () => {
  it('are served by verb, and are told when nobody serves or answers', async () => {
    const lab = await startLab();
    const operator = await lab.operator();
    expect(await codeOf(() => operator.request('runs', bytes(''), 1_000))).toBe('SB-BUS-NO-COORDINATOR');
    const coordinator = await lab.coordinator();
    const stop = await coordinator.serve(['runs', 'wait'], async (verb, data) =>
      verb === 'wait' ? await new Promise(() => {}) : bytes(`${verb} ${text(data)}`),
    );
    expect(text(await operator.request('runs', bytes('all'), 1_000))).toBe('runs all');
    expect(await codeOf(() => operator.request('wait', bytes(''), 100))).toBe('SB-BUS-TIMEOUT');
    await stop();
    expect(await codeOf(() => operator.request('runs', bytes(''), 1_000))).toBe('SB-BUS-NO-COORDINATOR');
  });
});

describe('beats', () => {
  it('name their host by the subject that only it may use, and come back undefined when nobody hears', async () => {
    const lab = await startLab();
    const agent = await lab.agent('a2', { beatTimeoutMs: 100 });
    expect(await agent.beat(bytes('hello'))).toBeUndefined();
    const coordinator = await lab.coordinator();
    const stop = await coordinator.onBeat(async (host, data) => bytes(`${host} said ${text(data)}`));
    expect(text(await agent.beat(bytes('hello')))).toBe('a2 said hello');
    await stop();
    expect(await agent.beat(bytes('hello'))).toBeUndefined();
  });
});

describe('stores', () => {
  it('keep hosts and blobs, and refuse a blob under a wrong hash', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare([]);
    expect(await coordinator.getHosts()).toEqual(new Map());
    await coordinator.putHost('a1', bytes('old'));
    await coordinator.putHost('a1', bytes('new'));
    await coordinator.putHost('a2', bytes('two'));
    const hosts = await coordinator.getHosts();
    expect([...hosts].map(([name, data]) => [name, text(data)])).toEqual([
      ['a1', 'new'],
      ['a2', 'two'],
    ]);

    const hash = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
    expect(await coordinator.getBlob(hash)).toBeUndefined();
    await coordinator.putBlob(hash, bytes('hello world'));
    await coordinator.putBlob(hash, bytes('hello world'));
    expect(text(await coordinator.getBlob(hash))).toBe('hello world');
    expect(await codeOf(() => coordinator.putBlob(hash, bytes('other')))).toBe('SB-BUS-BLOB-DAMAGED');
  });

  it('keep live output by run, in order, read in pieces', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const agent = await lab.agent('a1');
    const where = { run: 'run-1', step: 'group/step[x]', commandId: 'c' };
    for (let seq = 0; seq < 5; seq++) agent.output({ ...where, seq }, bytes(`line ${seq}`));
    // Sent again by an agent that was restarted.
    agent.output({ ...where, seq: 4 }, bytes('line 4'));
    agent.output({ run: 'run-2', step: 'other', commandId: 'd', seq: 0 }, bytes('other'));
    await until(async () => (await coordinator.readOutput('run-2', 1, 10)).chunks.length === 1);
    const first = await coordinator.readOutput('run-1', 1, 3);
    const rest = await coordinator.readOutput('run-1', first.next, 10);
    expect([...first.chunks, ...rest.chunks].map(({ data }) => text(data))).toEqual(
      Array.from({ length: 5 }, (_, i) => `line ${i}`),
    );
    expect(await coordinator.readOutput('run-1', rest.next, 10)).toEqual({ chunks: [], next: rest.next });
  });
});
