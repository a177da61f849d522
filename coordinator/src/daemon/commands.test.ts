import { AGENT_CODES, DEFAULTS, type Report } from '@signalbox/protocol';
import { expect, it } from 'vitest';
import { settle } from '../testing/manual-clock.ts';
import { action, OPERATOR, World } from '../testing/world.ts';

it('a command that died with an agent while it looked is given to the one that follows, and asked for anew', async () => {
  const world = new World(['a']);
  const plan = world.plan([action('one', ['a'])]);
  await world.runs.create(JSON.stringify(plan), { by: OPERATOR, start: 's-1' });
  await settle();
  const [sent] = world.bus.commands;
  const [command] = world.commands();
  if (!command || !sent) throw new Error('nothing was sent');
  // It may have died at the last moment, and what it had comes again after so long.
  expect(world.clock.wallMs() + sent.ttlMs).toBeGreaterThan(command.notAfterMs + DEFAULTS.ackWaitMs);

  const { means, next, class: kind } = AGENT_CODES['SB-AGENT-LATE'];
  const failure = { code: 'SB-AGENT-LATE', class: kind, message: means, next };
  await world.report(command, { status: 'succeeded' }, { type: 'refused', failure } as Partial<Report>);
  await world.clock.advance(1_000);
  expect(world.commands().map(({ attempt }) => attempt)).toEqual([1, 2]);
});
