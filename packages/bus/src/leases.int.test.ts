import { describe, expect, it } from 'vitest';
import { bytes, codeOf, startLab, text, until } from './test-fixture.ts';

const lease = (revision: number, content: string) => ({ name: 'c-1', revision, data: bytes(content) });

async function written(outcome: Promise<{ revision: number } | 'conflict'>): Promise<number> {
  const said = await outcome;
  if (said === 'conflict') throw new Error('somebody else has written it');
  return said.revision;
}

describe('a lease', () => {
  it('is renewed by its revision, and by nobody who has an older one', async () => {
    const lab = await startLab();
    const [one, two] = [await lab.coordinator(), await lab.coordinator()];
    await one.prepare([]);
    const first = await written(one.writeLease('member', lease(0, 'one')));
    expect(await two.writeLease('member', lease(0, 'two'))).toBe('conflict');
    const second = await written(two.writeLease('member', lease(first, 'two')));
    expect(await one.writeLease('member', lease(first, 'one again'))).toBe('conflict');
    const found = await one.readLeases('member');
    expect(found.map(({ name, revision, data }) => [name, revision, text(data)])).toEqual([['c-1', second, 'two']]);
    expect(await one.readLease('member', 'c-1')).toEqual(found[0]);
    expect([await one.readLease('member', 'c-2'), await one.readLeases('start')]).toEqual([undefined, []]);
  });

  it('that has been dropped cannot be renewed, and can be taken anew', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    const first = await written(bus.writeLease('member', lease(0, 'one')));
    const second = await written(bus.writeLease('member', lease(first, 'one')));
    expect(await bus.dropLease('member', { name: 'c-1', revision: first })).toBe('conflict');
    expect(await bus.dropLease('member', { name: 'c-1', revision: second })).toBe('dropped');
    expect(await bus.readLeases('member')).toEqual([]);
    expect(await bus.writeLease('member', lease(second, 'the sleeper'))).toBe('conflict');
    const third = await written(bus.writeLease('member', lease(0, 'anew')));
    expect(third).toBeGreaterThan(second);
  });

  it('whose acknowledgement was lost is recognised as one’s own', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    const first = await written(bus.writeLease('member', lease(0, 'one')));
    expect(await bus.writeLease('member', lease(0, 'one'))).toEqual({ revision: first });
  });
});

describe('coordinators', () => {
  it('ask each other by name, and hear at once when there is nobody of that name', async () => {
    const lab = await startLab();
    const [one, two] = [await lab.coordinator(), await lab.coordinator()];
    const stop = await two.servePeer('two', async (question) => bytes(`yes, ${text(question)}`));
    expect(text(await one.askPeer('two', bytes('run-1'), 60_000))).toBe('yes, run-1');
    expect(await one.askPeer('three', bytes('run-1'), 60_000)).toBeUndefined();
    await stop();
    await two.servePeer('two', () => new Promise(() => {}));
    expect(await codeOf(() => one.askPeer('two', bytes(''), 50))).toBe('SB-BUS-TIMEOUT');
  });

  it('all hear what an operator asks, and the first answer counts', async () => {
    const lab = await startLab();
    const [one, two, three] = [await lab.coordinator(), await lab.coordinator(), await lab.coordinator()];
    const heard: string[] = [];
    const note = (name: string, answer: Promise<Uint8Array | undefined>) => async () => {
      heard.push(name);
      return await answer;
    };
    await one.serve(['runs'], note('silent', Promise.resolve(undefined)));
    await two.serve(['runs'], note('hangs', new Promise(() => {})));
    await three.serve(['runs'], note('answers', Promise.resolve(bytes('here'))));
    expect(text(await (await lab.operator()).request('runs', bytes(''), 60_000))).toBe('here');
    await until(() => heard.length === 3);
    expect(heard.toSorted()).toEqual(['answers', 'hangs', 'silent']);
  });

  it('cannot be asked, or given a lease, from the account of agents or operators', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare(['a1']);
    await bus.servePeer('one', async () => bytes('yes'));
    for (const key of [lab.mesh.agentKey('a1'), lab.mesh.operatorKey()]) {
      const stranger = await lab.bare(key);
      const ask = (subject: string) => stranger.request(subject, '', { timeout: 200 }).then(() => 'answered');
      await expect(ask('sb.lab.peer.one')).rejects.toThrow();
      await expect(ask('$KV.leases.member.c-1')).rejects.toThrow();
    }
    expect(await bus.readLeases('member')).toEqual([]);
  });
});
