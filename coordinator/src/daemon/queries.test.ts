import { type Query, Query as QuerySchema } from '@signalbox/protocol';
import { createKeyPair, type KeyPair, open, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { World } from '../testing/world.ts';
import { HostQueries } from './queries.ts';

type Make = (asked: { query: Query; key: KeyPair; other: KeyPair }) => Uint8Array | undefined;

const answer = ({ nonce, host }: Pick<Query, 'nonce' | 'host'>, key: KeyPair) =>
  seal('answer', { verb: 'sample', nonce, host, values: { lag: 0 }, tookMs: 1 }, key);

/** What a sample of host a comes to when somebody answers in this way. */
async function sampled(make: Make): Promise<unknown> {
  const world = new World(['a', 'b']);
  const { a: key = createKeyPair(), b: other = createKeyPair() } = world.hostKeys;
  world.bus.answerQuery = async ({ data }) => {
    const { payload: query } = open(data, { kind: 'query', schema: QuerySchema, trusts: () => true });
    return make({ query, key, other });
  };
  const queries = new HostQueries(world.ports, world.hosts);
  return await queries.sample('a', 'test.probe', {}).then(
    ({ values }) => values,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );
}

describe('[I11] a sample', () => {
  it('is what the host has answered to this very question', async () => {
    expect(await sampled(({ query, key }) => answer(query, key))).toEqual({ lag: 0 });
  });

  it('that nobody gives is none', async () => {
    expect(await sampled(() => undefined)).toBe('SB-COORD-HOST-SILENT');
  });

  it('that answers an earlier question is none: it may be as old as it likes', async () => {
    let first: Uint8Array | undefined;
    const world = new World(['a']);
    const { a: key = createKeyPair() } = world.hostKeys;
    world.bus.answerQuery = async ({ data }) => {
      const { payload: query } = open(data, { kind: 'query', schema: QuerySchema, trusts: () => true });
      first ??= answer(query, key);
      return first;
    };
    const queries = new HostQueries(world.ports, world.hosts);
    await expect(queries.sample('a', 'test.probe', {})).resolves.toMatchObject({ values: { lag: 0 } });
    await expect(queries.sample('a', 'test.probe', {})).rejects.toMatchObject({ code: 'SB-COORD-HOST-SILENT' });
  });

  it.each<[string, Make]>([
    ['of another host', ({ query, key }) => answer({ ...query, host: 'b' }, key)],
    ['signed by another host', ({ query, other }) => answer(query, other)],
    [
      'changed on its way',
      ({ query, key }) => Buffer.from(Buffer.from(answer(query, key)).toString().replace('0', '9')),
    ],
  ])('%s is none', async (_, make) => {
    expect(await sampled(make)).toMatch(/^SB-(COORD-HOST-SILENT|MSG-)/);
  });
});
