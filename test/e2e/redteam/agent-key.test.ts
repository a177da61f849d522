import type { Health, Report } from '@signalbox/protocol';
import { seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareClient } from '../support/bare-client.ts';
import { workStep } from '../support/work.ts';
import { MESH, World } from '../support/world.ts';
import { payloadOf, ServerOwner, type Tapped } from './server-owner.ts';

/** What a host may publish and hear at all: packages/bus/src/accounts.int.test.ts. Here, what it may make others believe. */
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.end());

describe('who has the key of one host', () => {
  it('says nothing that counts for another host: neither in a run nor with a beat', async () => {
    const owner = await ServerOwner.of(world);
    const run = await world.begin(world.runbook('both', workStep('long', { until: 'enough' })));
    await until('both hosts to have begun', () => world.marks().length === 2);
    const { url, keys } = world.mesh.nats;
    const key = keys.agents['a-1'];
    if (!key) throw new Error('a-1 is not enrolled');
    const nats = await bareClient({ url, seed: key.seed, publicKey: key.publicKey });
    const isAccepted = ({ subject, data }: Tapped) =>
      subject === `sb.${MESH}.report.a-2.${run}` && payloadOf<Report>(data).type === 'accepted';
    const accepted = payloadOf<Report>((await owner.sight('that a-2 has accepted', isAccepted)).data);
    const outcome = {
      type: 'outcome',
      outcome: { status: 'succeeded' },
      startedAtMs: 0,
      durationMs: 1,
      outputBytes: 0,
    };
    const data = seal('report', { ...accepted, ...outcome, journalSequence: 99 }, key);
    await nats.jetstream().publish(`sb.${MESH}.report.a-1.${run}`, data);
    await until('the coordinator to have seen through it', () =>
      world.logText('coordinator').includes('a report of a-2'),
    );
    await expect(nats.jetstream().publish(`sb.${MESH}.report.a-2.${run}`, data, { timeout: 1_000 })).rejects.toThrow();

    const beat = await owner.sight('a beat of a-2', ({ subject }) => subject === `sb.${MESH}.health.a-2`);
    const false_ = seal('health', { ...payloadOf<Health>(beat.data), policy: 'f'.repeat(64) }, key);
    const answer = await nats.request(`sb.${MESH}.health.a-1`, false_, { timeout: 5_000 });
    expect(payloadOf<{ type: string }>(answer.data).type).toBe('refused');

    const ended = (await world.log(run)).flatMap(({ events }) => events.filter(({ type }) => type === 'StepSucceeded'));
    expect(ended).toEqual([]);
    world.release('enough');
    await world.event(run, 'Ended');
    expect(world.marks().filter(({ what }) => what === 'end')).toHaveLength(2);
  });
});
