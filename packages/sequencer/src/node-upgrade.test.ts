import { describe, expect, it } from 'vitest';
import { action, batches, gate, plan, record, TestRun } from './testing/index.ts';

const MINERS = ['m1', 'm2', 'm3'];

/** The shape of the upgrade that the demo runs: one node, its miners, and a gate that tells whether the chain moves. */
const UPGRADE = plan([
  record('before', 'node'),
  batches('miners-stopped', [MINERS], { make: (hosts) => [action('miners-stopped', hosts)] }),
  gate('old-chain-moves', 'node', { only: 'undo' }),
  action('node-stopped', 'node'),
  gate('node-stays-down', 'node', { holdUntil: 'node-started' }),
  action('state-backed-up', 'node'),
  action('binary-installed', 'node'),
  action('node-started', 'node'),
  gate('chain-moves', 'node', { onTimeout: 'rollback' }),
  batches('miners-back', [['m1'], ['m2', 'm3']], {
    maxFailures: 2,
    make: (hosts) => [
      action('upgraded', hosts),
      action('started', hosts),
      gate('mines', hosts, { onTimeout: 'rollback' }),
    ],
  }),
  gate('signing-not-lower', 'node', { once: true }),
]);

function untilNodeStarted(): TestRun {
  const run = TestRun.start(UPGRADE);
  run.recorded('before', 'node', { height: 1204, peers: 3 });
  for (const miner of MINERS) run.done('miners-stopped', miner);
  run.done('node-stopped', 'node');
  run.met('node-stays-down', 'node');
  for (const step of ['state-backed-up', 'binary-installed', 'node-started']) run.done(step, 'node');
  return run;
}

describe('the node upgrade', () => {
  it('completes: node first, one miner, then the rest', () => {
    const run = untilNodeStarted();
    run.met('chain-moves', 'node');
    expect(run.commands).toEqual(['upgraded@m1 do 1']);
    for (const share of [['m1'], ['m2', 'm3']]) {
      for (const step of ['upgraded', 'started']) for (const miner of share) run.done(step, miner);
      for (const miner of share) run.met('mines', miner);
    }
    run.met('signing-not-lower', 'node');
    expect(run.status).toBe('completed');
    expect(run.leftovers).toEqual([]);
  });

  it('[I4] is taken back in reverse when the new binary crashes; miners come back only when the old chain moves', () => {
    const run = untilNodeStarted();
    run.failIf('chain-moves', 'node');
    const undone: string[] = [];
    while (run.effects('command').length > 0) {
      undone.push(...run.commands);
      for (const { step, host } of run.effects('command')) run.done(step, host);
    }
    expect(undone).toEqual([
      'node-started@node undo 1',
      'binary-installed@node undo 1',
      'state-backed-up@node undo 1',
      'node-stopped@node undo 1',
    ]);
    expect(run.watches).toEqual(['old-chain-moves@node#1u']);
    run.met('old-chain-moves', 'node');
    expect(run.commands).toEqual(MINERS.map((miner) => `miners-stopped@${miner} undo 1`));
    for (const miner of MINERS) run.done('miners-stopped', miner);
    expect(run.status).toBe('rolled-back');
    expect(run.leftovers).toEqual([]);
  });

  it('[I1] goes on in the middle of the way back under a new leader, asking for the same commands', () => {
    const run = untilNodeStarted();
    run.failIf('chain-moves', 'node');
    const before = run.effects('command');
    run.send({ type: 'lead', coordinator: 'c2', epoch: 2, nonce: 'n2' });
    expect(run.effects('command')).toEqual(before);
  });
});
