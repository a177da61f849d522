import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';

const probe = probeByName.get('systemd.journal') as Probe;
const UNIT = 'r3mes-miner.service';
const ID = 'a'.repeat(32);

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  const units = await new StandInUnits(host).install();
  await units.add(UNIT, { ActiveState: 'active', MainPID: 8, InvocationID: ID });
});
afterEach(() => host[Symbol.asyncDispose]());

const says = (...lines: object[]) =>
  host.program('journalctl', lines.map((line) => `echo '${JSON.stringify(line)}'`).join('\n') || 'true');
const sample = (input = {}) => probe.sample(host, { unit: UNIT, words: ['ERROR', 'Traceback'], ...input });

describe('systemd.journal', () => {
  it('counts what journald calls an error, and what the program itself calls one', async () => {
    const bytes = [...Buffer.from('\xffERROR', 'latin1')];
    await says(
      { MESSAGE: 'Started R3MES miner.', PRIORITY: '6' },
      { MESSAGE: 'share handed in', PRIORITY: '6' },
      { MESSAGE: '2026-11-21 ERROR no node', PRIORITY: '6' },
      { MESSAGE: 'out of memory', PRIORITY: '3' },
      { MESSAGE: bytes, PRIORITY: '6' },
      { MESSAGE: null },
    );
    expect(await sample()).toEqual({ restarts: 0, lines: 6, errors: 3 });
    expect(await sample({ words: ['share'] })).toMatchObject({ errors: 2 });
    expect(host.started.at(-1)).toContain(`_SYSTEMD_INVOCATION_ID=${ID}`);
  });

  it('[I11] no line at all is not "no error": a journal that may not be read looks like that', async () => {
    await says();
    expect(await sample()).toEqual({ restarts: 0, lines: 0 });
    await host.program('journalctl', 'echo "No such file" >&2; exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-JOURNAL');
  });
});
