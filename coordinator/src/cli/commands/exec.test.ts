import { Plan } from '@signalbox/protocol';
import { decide, initialState } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { targetsOf } from '../targets.ts';
import { execPlan } from './exec.ts';

const host = (name: string, role: string) => ({ name, key: 'U', labels: { role } });
const hosts = [host('node-1', 'node'), host('miner-1', 'miner'), host('miner-2', 'miner')];
const execution = { argv: ['ls', '-l', 'a b; c'], effect: 'irreversible', timeoutMs: 1_000 } as const;
const client = { mesh: 'prod', operator: 'ayse' };

describe('exec', () => {
  it('is a plan of one step, with the argv as it was given', () => {
    const plan = execPlan(client, hosts, execution);
    expect(Plan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    expect(plan.steps).toMatchObject([{ kind: 'action', effect: 'irreversible', reversible: false }]);
    const created = { type: 'create', by: { name: 'ayse', key: 'U' }, planHash: 'h' } as const;
    const events = decide(initialState('exec-1', plan), created, { atMs: 0, runMs: 0, random: 0 });
    const sent = events.flatMap((event) =>
      event.type === 'StepStarted' && event.work.kind === 'command' ? [event.work.with] : [],
    );
    expect(sent).toEqual(hosts.map(() => ({ argv: ['ls', '-l', 'a b; c'], effect: 'irreversible' })));
  });

  it('takes no promise of an undo that it does not have', () => {
    expect(() => execPlan(client, hosts, { ...execution, effect: 'reversible' })).toThrow(/SB-CLI-USAGE/);
  });

  it('finds hosts by name and label, each once', () => {
    const names = (said: string[]) => targetsOf({ hosts }, said).map(({ name }) => name);
    expect(names(['miner-2,node-1', 'role=miner'])).toEqual(['miner-2', 'node-1', 'miner-1']);
    expect(() => names(['role=minor'])).toThrow(/SB-CLI-NO-HOST.*role=minor/);
  });
});
