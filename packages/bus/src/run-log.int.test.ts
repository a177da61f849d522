import { STREAMS } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { bytes, codeOf, startLab, text, until } from './test-fixture.ts';

describe('run log', () => {
  it('reads back in order what was appended, each run for itself', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    let last = 0;
    for (let i = 0; i < 2_500; i++) {
      const appended = await bus.append('run-1', bytes(`e${i}`), last);
      if (appended === 'conflict') throw new Error('nobody else appends');
      last = appended.sequence;
    }
    await bus.append('run-2', bytes('other'), 0);
    const entries = await bus.readRun('run-1');
    expect(entries.map(({ data }) => text(data))).toEqual(Array.from({ length: 2_500 }, (_, i) => `e${i}`));
    expect((await bus.lastEntry('run-1'))?.sequence).toBe(last);
    expect((await bus.listRuns()).sort()).toEqual(['run-1', 'run-2']);
    expect(await bus.readRun('run-3')).toEqual([]);
    expect(await bus.lastEntry('run-3')).toBeUndefined();
  });

  it('[I6] lets one of two appenders win', async () => {
    const lab = await startLab();
    const [one, two] = [await lab.coordinator(), await lab.coordinator()];
    await one.prepare([]);
    const outcomes = await Promise.all([
      one.append('run-1', bytes('by one'), 0),
      two.append('run-1', bytes('by two'), 0),
    ]);
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(1);
    expect(await one.readRun('run-1')).toHaveLength(1);
  });

  it('[I8] recognises its own append whose acknowledgement was lost', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    const first = await bus.append('run-1', bytes('one'), 0);
    // To the caller who never heard of it, the repeated append is the first.
    expect(await bus.append('run-1', bytes('one'), 0)).toEqual(first);
    expect(await bus.append('run-1', bytes('another'), 0)).toBe('conflict');
    expect(await bus.readRun('run-1')).toHaveLength(1);
  });

  it('[I8] finds its append in the log when the server dies with the acknowledgement', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    const written: string[] = [];
    let last = 0;
    const appending = (async () => {
      for (let i = 0; i < 400; i++) {
        const entry = `e${i}`;
        for (;;) {
          const outcome = await codeOf(() => bus.append('run-1', bytes(entry), last));
          if (typeof outcome !== 'object' || outcome === null || !('gave' in outcome)) continue;
          const { gave } = outcome;
          if (typeof gave === 'object' && gave !== null && 'sequence' in gave) last = Number(gave.sequence);
          else throw new Error(`append ${i} gave ${String(gave)}`);
          break;
        }
        written.push(entry);
      }
    })();
    for (const at of [60, 200]) {
      await until(() => written.length > at);
      process.kill(lab.mesh.server.pid, 'SIGKILL');
      await lab.mesh.server.ended;
      await lab.mesh.restart();
    }
    await appending;
    expect((await bus.readRun('run-1')).map(({ data }) => text(data))).toEqual(written);
  });

  it('denies deleting and purging, to coordinators as well', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare([]);
    await bus.append('run-1', bytes('one'), 0);
    const jsm = await (await lab.bare(lab.mesh.keys.coordinator)).jetstreamManager();
    await expect(jsm.streams.deleteMessage(STREAMS.runs, 1)).rejects.toThrow();
    await expect(jsm.streams.purge(STREAMS.runs)).rejects.toThrow();
    expect(await bus.readRun('run-1')).toHaveLength(1);
  });

  it('says SB-BUS-STREAM-FULL and SB-BUS-STORAGE-FULL, and stores nothing', async () => {
    const lab = await startLab({ maxStorageBytes: 8 * 1_048_576 });
    const bus = await lab.coordinator({
      limits: { commandBytes: 4_096, controlBytes: 4_096, reportBytes: 4_096, outputBytes: 4_096 },
    });
    await bus.prepare(['a1']);
    const big = Buffer.alloc(3_000);
    await bus.sendCommand('a1', 'c:1', big, 60_000);
    expect(await codeOf(() => bus.sendCommand('a1', 'c:2', big, 60_000))).toBe('SB-BUS-STREAM-FULL');

    let last = 0;
    const full = await codeOf(async () => {
      for (;;) {
        const appended = await bus.append('run-1', Buffer.alloc(500_000, String(last)), last);
        if (appended === 'conflict') return appended;
        last = appended.sequence;
      }
    });
    expect(full).toBe('SB-BUS-STORAGE-FULL');
    expect((await bus.lastEntry('run-1'))?.sequence).toBe(last);
  });

  it('refuses what the server would refuse for its size', async () => {
    const lab = await startLab();
    const bus = await lab.coordinator();
    await bus.prepare(['a1']);
    const huge = Buffer.alloc(2 * 1_048_576);
    expect(await codeOf(() => bus.append('run-1', huge, 0))).toBe('SB-BUS-TOO-LARGE');
    expect(await codeOf(() => bus.sendCommand('a1', 'c:1', huge, 60_000))).toBe('SB-BUS-TOO-LARGE');
    expect(bus.connected).toBe(true);
  });
});
