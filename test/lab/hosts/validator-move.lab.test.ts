import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { countDoubleSigns } from '../signatures.ts';
import { foundAnew, NODES, signatures, unitOf, VALIDATOR_MOVE } from './chain.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import { type Blow, play } from './matrix.ts';
import { VALIDATOR_MOVES } from './scenes-chain.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';

const KEY = '/home/remes/.remesd/config/priv_validator_key.json';
const lab = () => sharedLab();
const signed = () => signatures(lab()).at(-1)?.height ?? 0;

describe.runIf(LAB_IS_THERE)('validator-move, between two hosts with systemd', () => {
  beforeEach(() => foundAnew(lab()));
  afterAll(() => foundAnew(lab()));

  it('[T06] a key that is copied by hand signs twice: what the runbook is there to prevent can happen here', async () => {
    const spare = lab().host('node-2');
    await until('the validator to sign', () => signed() > 0);
    await spare.run(['cp', '/root/priv_validator_key.json', KEY]);
    await spare.run(['chown', 'remes:remes', KEY]);
    await spare.run(['systemctl', 'start', 'remesd.service']);
    await until('heights that were signed twice', () => countDoubleSigns(signatures(lab())) > 0);
  });

  it('[T06] [I10] moves the validator; the old node signs nothing any more, not even after a reboot', async () => {
    const before = signed();
    const run = await started(VALIDATOR_MOVE, { window: '4s', checklist: false });
    expect(await run.ended()).toBe('completed');
    const [old, fresh] = [lab().host('node-1'), lab().host('node-2')];
    expect((await old.unit('remesd.service', ['ActiveState', 'LoadState'])).LoadState).toBe('masked');
    await old.reboot();
    // The mask is gone with the reboot, and the unit is enabled: it runs, with a key that is nobody's.
    expect((await old.unit('remesd.service', ['ActiveState'])).ActiveState).toBe('active');
    const then = signed();
    expect(then).toBeGreaterThan(before);
    await until('the validator to sign on', () => signed() > then + 10);
    const now = await fresh.unit('remesd.service', ['ActiveState', 'UnitFileState']);
    expect(now).toEqual({ ActiveState: 'active', UnitFileState: 'enabled' });
    expect(countDoubleSigns(signatures(lab()))).toBe(0);
  });

  it('[T06] [I10] takes everything back when the key cannot be adopted: the old node signs on, and both are as before', async () => {
    const spare = lab().host('node-2');
    const before = await takeSnapshots(
      NODES.map((name) => lab().host(name)),
      unitOf,
    );
    const run = await started(VALIDATOR_MOVE, { window: '4s', checklist: false });
    await run.event(
      'the key to be set aside',
      ({ type, ...event }) => 'step' in event && event.step === 'key-set-aside',
    );
    await spare.run(['mv', '/root/priv_validator_key.json', '/root/gone']);
    expect(await run.ended()).toBe('rolled-back');
    await spare.run(['mv', '/root/gone', '/root/priv_validator_key.json']);
    expect(await changesSince(before, unitOf)).toEqual([]);
    const then = signed();
    await until('the old node to sign on', () => signed() > then);
    expect(countDoubleSigns(signatures(lab()))).toBe(0);
  });

  it.each<[string, string, Blow]>([
    ['key-set-aside', 'node-1', 'power-cut'],
    ['key-adopted', 'node-2', 'power-cut'],
    ['validator-started', 'node-2', 'power-cut'],
  ])('[T06] [I10] %s on %s with a %s: never a double sign', async (step, host, blow) => {
    const verdict = await play(lab(), { scene: VALIDATOR_MOVES, step, host, blow });
    expect(verdict).toMatchObject({ doubleSigns: 0 });
    expect(verdict.signing.length).toBeLessThan(2);
  });
});
