import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { clientOver as clientOf, coordinatorKey as coordinator } from './testing/fake-mesh.ts';

const runs = { runs: [{ run: 'a-1', runbook: 'a', status: 'running', createdAtMs: 1, by: 'ayse' }] };

describe('asking the mesh', () => {
  it('signs what it asks and believes the signed answer', async () => {
    const client = clientOf(({ nonce, mesh, verb, operator: name }) => {
      expect({ mesh, verb, name }).toEqual({ mesh: 'prod', verb: 'runs', name: 'ayse' });
      return seal('reply', { type: 'ok', nonce, body: runs }, coordinator);
    });
    expect(await client.ask('runs', {})).toEqual(runs);
  });

  it.each([
    ['a key that is not trusted', (nonce: string) => seal('reply', { type: 'ok', nonce, body: runs }, createKeyPair())],
    ['another question', () => seal('reply', { type: 'ok', nonce: 'old', body: runs }, coordinator)],
    ['another form', (nonce: string) => seal('reply', { type: 'ok', nonce, body: { runs: 1 } }, coordinator)],
    ['no envelope', () => Buffer.from('{}')],
  ])('believes no answer with %s', async (_what, make) => {
    await expect(clientOf(({ nonce }) => make(nonce)).ask('runs', {})).rejects.toThrow(/SB-CLI-REPLY/);
  });

  it('throws what the coordinator refused with', async () => {
    const failure = { code: 'SB-RUN-STATE', class: 'terminal', message: 'a-1 is held', next: 'look' } as const;
    const client = clientOf(({ nonce }) => seal('reply', { type: 'failed', nonce, failure }, coordinator));
    await expect(client.ask('pause', { run: 'a-1' })).rejects.toMatchObject({ failure });
  });
});
