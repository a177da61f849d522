import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { settled } from './testing/manual-clock.ts';
import { smallWorld } from './testing/small-world.ts';

describe('a question', () => {
  it('is answered with its nonce: sample, check, settle', async () => {
    const world = await smallWorld();
    const sample = { verb: 'sample' as const, nonce: 'n-7', probe: 'test.probe', with: {}, timeoutMs: 1_000 };
    expect(await world.query(sample)).toMatchObject({ verb: 'sample', nonce: 'n-7', host: 'h1', values: { value: 1 } });
    const check = { verb: 'check' as const, action: 'test.action', with: {}, timeoutMs: 1_000 };
    expect(await world.query(check)).toMatchObject({ verb: 'check', result: { before: { was: 'so' }, problems: [] } });
    expect(world.runs()).toEqual([]);
  });

  it.each([
    ['SB-AGENT-UNKNOWN-PROBE', { verb: 'sample' as const, probe: 'no.such', with: {} }],
    ['SB-AGENT-UNKNOWN-ACTION', { verb: 'check' as const, action: 'no.such', with: {} }],
    ['SB-AGENT-INPUT', { verb: 'sample' as const, probe: 'test.probe', with: { fail: 7 } }],
    ['SB-AGENT-ACTION-BROKE', { verb: 'sample' as const, probe: 'test.probe', with: { fail: 'no connection' } }],
  ])('[I11] that has no answer fails with %s', async (code, query) => {
    const world = await smallWorld();
    expect(await world.query({ timeoutMs: 1_000, ...query })).toMatchObject({ verb: 'failed', failure: { code } });
  });

  it('takes no longer than it may', async () => {
    const world = await smallWorld();
    world.holdChecks = true;
    const asked = world.query({ verb: 'check', action: 'test.action', with: {}, timeoutMs: 2_000 });
    await settled();
    await world.clock.advance(2_000);
    expect(await asked).toMatchObject({ verb: 'failed', failure: { code: 'SB-AGENT-TIMEOUT' } });
  });

  it('of a stranger, or for another host, gets no signed answer', async () => {
    const world = await smallWorld();
    const query = { mesh: 'lab', host: 'h1', nonce: 'n', verb: 'settle', commands: [] };
    const ask = (data: Uint8Array) => world.bus.ask('settle', data);
    await expect(ask(seal('query', query, createKeyPair()))).rejects.toThrow('SB-MSG-UNTRUSTED');
    const elsewhere = seal('query', { ...query, host: 'h2' }, world.keys.coordinator);
    await expect(ask(elsewhere)).rejects.toThrow('SB-AGENT-ADDRESS');
  });

  it('[I11] about a command is answered from what is on disk', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    const [running, waiting, voided] = ['a', 'b', 'c'].map((step) => world.command({ step }).id);
    await world.give(world.command({ step: 'a' }));
    await world.give(world.command({ step: 'b' }));
    await world.control({ type: 'void', id: 'v', commands: [voided], reason: 'r' });
    const { commands, reports } = (await world.query({ verb: 'settle', commands: [running, waiting, voided] })) as {
      commands: { state: string }[];
      reports: unknown[];
    };
    expect([commands.map(({ state }) => state), reports]).toEqual([['running', 'none', 'voided'], []]);
  });

  it('[I11] about a command that ends while the answer waits for the disk: it has not ended yet', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    const command = world.command({ step: 'a' });
    await world.give(command);
    let goOn = () => {};
    world.storage.slow = new Promise((resolve) => {
      goOn = resolve;
    });
    const voided = world.control({ type: 'void', id: 'v', commands: ['other'], reason: 'r' });
    await settled();
    const asked = world.query({ verb: 'settle', commands: [command.id] });
    await settled();
    // The next sync is another one, and does not end.
    world.storage.slow = new Promise(() => {});
    world.runs()[0]?.resolve();
    await settled();
    goOn();
    await voided;
    expect(world.journal.state.commands.get(command.id)?.state).toBe('ended');
    expect(await asked).toMatchObject({ commands: [{ id: command.id, state: 'running' }], reports: [] });
  });
});
