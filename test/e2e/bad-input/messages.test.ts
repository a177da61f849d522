import { commandId, MAX_MESSAGE_BYTES } from '@signalbox/protocol';
import { createKeyPair, type Signer, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareClient } from '../support/bare-client.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ hosts: ['a-1'] });
});
afterAll(() => world.end());

/** A client in the core account: it may publish what the coordinator may. */
async function core() {
  const { url, keys } = world.mesh.nats;
  return await bareClient({ url, seed: keys.coordinator.seed, publicKey: keys.coordinator.publicKey });
}

/** A command that would leave a mark if an agent believed it. */
function command(step: string, signer: Signer): { id: string; data: Uint8Array } {
  const of = { run: 'forged-1', step, host: 'a-1', direction: 'do', attempt: 1 } as const;
  const id = commandId(of);
  const body = {
    ...{ ...of, id, mesh: 'e2e', epoch: 1, nonce: 'n', head: { sequence: 1, hash: '' }, journal: 'j', machine: 'm' },
    ...{ sentAtMs: Date.now(), planHash: '', notAfterMs: Date.now() + 60_000, timeoutMs: 5_000 },
    ...{ action: 'exec.run', version: 1, with: { argv: ['work', step], effect: 'read' } },
  };
  return { id, data: seal('command', body, signer) };
}

/** The coordinator is told with the next beat, and so is whoever asks for hosts. */
async function heardOf(code: string): Promise<void> {
  await until(`${code} to be reported`, async () => {
    const { hosts } = await world.operator.ask('hosts', {});
    return hosts.some(({ health }) => health?.problems?.some((problem) => problem.code === code));
  });
  await until('the coordinator to log it', () => world.logText('coordinator').includes(code));
}

async function expectStillWorking(name: string): Promise<void> {
  const argv = ['exec', '--hosts', 'a-1', '--effect', 'read', '--', 'work', name];
  expect(await world.signalbox(argv)).toMatchObject({ exitCode: 0 });
  expect(world.marks().map((mark) => mark.name)).not.toContain('forged');
}

describe('a message on a command subject that', () => {
  it('is not JSON is refused with SB-MSG-JSON, reported, and not delivered again', async () => {
    const nats = await core();
    await nats.jetstream().publish('sb.e2e.cmd.a-1.noise', new TextEncoder().encode('not JSON'));
    await heardOf('SB-MSG-JSON');
    const { num_pending, num_ack_pending } = await until('the consumer to be done with it', async () => {
      const info = await (await nats.jetstreamManager()).consumers.info('CMD', 'a-1');
      return info.num_pending + info.num_ack_pending === 0 && info;
    });
    expect([num_pending, num_ack_pending]).toEqual([0, 0]);
    await expectStillWorking('after-noise');
  });

  it('is signed by somebody else is refused with SB-MSG-UNTRUSTED', async () => {
    const nats = await core();
    const { id, data } = command('forged', createKeyPair());
    await nats.jetstream().publish(`sb.e2e.cmd.a-1.${id}`, data);
    await heardOf('SB-MSG-UNTRUSTED');
    await expectStillWorking('after-stranger');
  });

  it('was changed after it was signed is refused with SB-MSG-SIGNATURE', async () => {
    const nats = await core();
    const { id, data } = command('forged', world.mesh.nats.keys.coordinator);
    const changed = new TextDecoder().decode(data).replace('exec.run', 'file.run');
    await nats.jetstream().publish(`sb.e2e.cmd.a-1.${id}2`, new TextEncoder().encode(changed));
    await heardOf('SB-MSG-SIGNATURE');
    await expectStillWorking('after-change');
  });

  it('has 2 MB is refused by the server, and nobody is disturbed', async () => {
    const nats = await core();
    expect(nats.info?.max_payload).toBe(MAX_MESSAGE_BYTES);
    const publish = async () => await nats.jetstream().publish('sb.e2e.cmd.a-1.big', new Uint8Array(2_000_000));
    await expect(publish()).rejects.toThrow(/MAX_PAYLOAD_EXCEEDED/);
    await expectStillWorking('after-big');
  });
});

describe('a request of an operator that', () => {
  it('is signed by a key that the coordinator does not know is refused, with the reason', async () => {
    const { url, operatorKey } = world.mesh.nats;
    const client = await bareClient({ url, ...operatorKey() });
    const body = { mesh: 'e2e', verb: 'runs', nonce: 'one', operator: 'operator', sentAtMs: Date.now(), body: {} };
    const reply = await client.request('sb.e2e.req.runs', seal('request', body, createKeyPair()), { timeout: 5_000 });
    const said = JSON.parse(JSON.parse(new TextDecoder().decode(reply.data)).payload);
    expect(said).toMatchObject({ type: 'failed', nonce: 'one', failure: { code: 'SB-MSG-UNTRUSTED' } });
  });

  it('is a copy of one that was answered is refused', async () => {
    const { url, operatorKey } = world.mesh.nats;
    const client = await bareClient({ url, ...operatorKey() });
    const body = { mesh: 'e2e', verb: 'runs', nonce: 'copied', operator: 'operator', sentAtMs: Date.now(), body: {} };
    const data = seal('request', body, operatorKey());
    const ask = async () => {
      const reply = await client.request('sb.e2e.req.runs', data, { timeout: 5_000 });
      return JSON.parse(JSON.parse(new TextDecoder().decode(reply.data)).payload);
    };
    expect(await ask()).toMatchObject({ type: 'ok' });
    expect(await ask()).toMatchObject({ type: 'failed', failure: { code: 'SB-COORD-REPLAY' } });
  });

  it('was refused is on record as that, and what somebody puts among the records is found', async () => {
    const { stdout } = await world.signalbox(['--json', 'audit', '--refused']);
    const { entries } = JSON.parse(stdout) as { entries: { verb: string; by?: unknown; code: string }[] };
    expect(entries.map(({ verb, by, code }) => [verb, by, code])).toEqual([
      ['runs', undefined, 'SB-MSG-UNTRUSTED'],
      ['runs', undefined, 'SB-COORD-REPLAY'],
    ]);
    const nats = await core();
    const { operatorKey } = world.mesh.nats;
    const entry = { coordinator: 'coordinator-1', lane: 'asked', index: 0, previous: '', atMs: Date.now() };
    const forged = { ...entry, verb: 'abort', granted: true, request: '' };
    await nats.jetstream().publish('sb.e2e.audit.coordinator-1.asked', seal('audit', forged, operatorKey()));
    const found = await world.signalbox(['audit']);
    expect(found).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('SB-CLI-VERIFY-AUDIT') });
    // The stream is kept from everybody, coordinators included.
    const { streams } = await nats.jetstreamManager();
    await expect(streams.purge('AUDIT')).rejects.toThrow(/purge/);
    await expect(streams.deleteMessage('AUDIT', 1)).rejects.toThrow(/delete/);
  });
});
