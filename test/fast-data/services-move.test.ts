import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NAME, NEW, OLD, TTL } from './places.ts';
import { canMoveServices, ServicesWorld } from './services-world.ts';

let world: ServicesWorld;
beforeAll(async () => {
  if (canMoveServices) world = await ServicesWorld.start();
});
afterAll(() => world?.end());

/** @returns the run, when all requests are answered at the destination and DNS still leads to the source. */
async function untilDnsGo(): Promise<string> {
  const run = await world.begin();
  await world.event(run, 'StepStarted', { step: 'go' });
  await world.approveBy('operator', run, 'go');
  await world.event(run, 'StepStarted', { step: 'dns-go' });
  return run;
}

describe.runIf(canMoveServices)('services-move, under load', () => {
  it('[T75] [T76] a resolver that keeps old answers too long takes everything back, and nobody has noticed', async () => {
    const planned = await world.signalbox(['plan', 'RUNBOOK']);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    const before = await world.state();
    const users = world.users();
    const run = await untilDnsGo();
    expect(world.cluster.pods('crud')).toEqual([]);
    // Prometheus sees that the source is gone, and remediation would start it again: behind everybody's back.
    await world.fire('ServicesGone');
    await world.alertIs('ServicesGone', 'suppressed');
    expect([world.remediation.called, world.remediation.enabled]).toEqual([0, false]);

    // The naive way looks at the zone alone, which says the new address a moment after the switch.
    await world.secondResolverKeeps(3_600);
    await world.approveBy('operator', run, 'dns-go');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'rolled-back', leftovers: [] });
    const failed = (await world.events(run)).flatMap((event) => (event.type === 'StepFailed' ? [event.step] : []));
    expect(failed).toEqual([`caches-switched[${NAME}]`]);
    await users.leave();
    expect(users.failures).toEqual([]);
    expect([...users.answers.keys()].sort()).toEqual(['destination', 'source']);
    expect(await world.state()).toEqual(before);
    // Given back: whoever shall be woken is, and what repairs things may.
    await world.alertIs('ServicesGone', 'active');
  });

  it('moves everything: no request fails, the old address is kept until nobody comes, TTL and alerts are as they were', async () => {
    await world.secondResolverKeeps(0);
    const users = world.users();
    const run = await untilDnsGo();
    expect(await world.state()).toMatchObject({
      zone: { address: OLD, ttlSeconds: 1 },
      here: 0,
      there: 1,
      silences: 1,
    });
    await world.approveBy('operator', run, 'dns-go');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    await users.leave();
    const counted = [...users.answers].map(([side, count]) => `${count} at the ${side}`).join(', ');
    console.log(`services-move: requests answered: ${counted}; failed: ${users.failures.length}`);
    expect(users.failures).toEqual([]);
    expect(await world.state()).toEqual({
      zone: { name: NAME, address: NEW, ttlSeconds: TTL },
      upstream: `upstream fast_data { server ${world.destinationServer} weight=100; } `,
      here: 0,
      there: 1,
      ledTo: true,
      silences: 0,
      remediation: true,
    });
  });
});
