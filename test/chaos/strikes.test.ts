import { POINTS } from '@signalbox/protocol/points';
import { describe, expect, it } from 'vitest';
import { strikesOf } from './strikes.ts';

const kills = (seed: number) => {
  const { hosts, middle } = strikesOf({ seed, kills: 1_000 });
  return [...hosts, ...middle].flatMap((strike) => ('moment' in strike ? [strike] : []));
};

describe('the strikes of a night', () => {
  it('follow from the seed', () => {
    expect(strikesOf({ seed: 7, kills: 50 })).toEqual(strikesOf({ seed: 7, kills: 50 }));
    expect(strikesOf({ seed: 7, kills: 50 })).not.toEqual(strikesOf({ seed: 8, kills: 50 }));
  });

  it('are as many kills as were asked for, of every program, at every point, and disasters beside them', () => {
    const all = kills(1);
    expect(all).toHaveLength(1_000);
    expect(new Set(all.map(({ type, target }) => `${type} ${target}`)).size).toBe(8);
    const points = new Set(all.flatMap(({ moment }) => (moment.type === 'point' ? [moment.point] : [])));
    expect([...points].sort()).toEqual(Object.keys(POINTS).sort());
    const { hosts, middle } = strikesOf({ seed: 1, kills: 1_000 });
    expect(new Set([...hosts, ...middle].map(({ type, target }) => `${type} ${target}`)).size).toBe(11);
  });

  it('strike only where it is wished', () => {
    const points = ['agent.outcome.synced', 'coordinator.run.led'] as const;
    const { hosts, middle } = strikesOf({ seed: 1, kills: 9, points: [...points] });
    const at = [...hosts, ...middle].map((strike) =>
      'moment' in strike && strike.moment.type === 'point' ? strike.moment.point : '',
    );
    expect(at.toSorted()).toEqual([...Array(5).fill(points[0]), ...Array(4).fill(points[1])]);
  });
});
