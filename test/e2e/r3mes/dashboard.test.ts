import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { createDashboard, DASHBOARD_UNIT } from '../../lab/furnish-dashboard.ts';
import { runOn } from '../../lab/sandbox.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const OLD = 'http://localhost:8000';
const NEW = 'https://staging-api.r3mes.io';

describe('runbooks/r3mes/dashboard-move', () => {
  it('[T10] the served page carries the new values, which no restart could bring; a value that is pinned in the code takes it back', async () => {
    const [port = 0] = await freePorts(1);
    const { world, web } = await R3mesWorld.with((dir) => {
      const made = createDashboard({ dir, port, built: { NEXT_PUBLIC_API_URL: OLD } });
      return { hosts: [made.sandbox], web: made };
    });
    const { sandbox, folder } = web;
    /** What a browser gets: the page, and the script that it names. */
    const browser = async () => {
      const page = await (await fetch(web.url)).text();
      const [, script = ''] = /src="([^"]+)"/.exec(page) ?? [];
      return (await fetch(new URL(script, web.url))).text();
    };
    const params = {
      ...{ api: NEW, backend: NEW, blockchainRpc: 'http://staging-node:26657', socket: 'wss://staging-api.r3mes.io' },
      ...{ gone: [OLD], folder, url: `${web.url}/`, window: '2s', patience: '6s' },
    };

    // The guide's first half: the variable is there, also in the running process, and browsers do not care.
    const dropIn = join(sandbox.paths.installedUnits, `${DASHBOARD_UNIT}.d`);
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, 'api.conf'), `[Service]\nEnvironment=NEXT_PUBLIC_API_URL=${NEW}\n`);
    await runOn(sandbox, ['systemctl', 'daemon-reload']);
    await runOn(sandbox, ['systemctl', 'restart', DASHBOARD_UNIT]);
    await expect.poll(() => browser().catch(() => '')).toContain(OLD);
    rmSync(dropIn, { recursive: true });
    await runOn(sandbox, ['systemctl', 'daemon-reload']);

    writeFileSync(join(folder, 'pinned.json'), JSON.stringify({ NEXT_PUBLIC_WS_URL: 'ws://localhost:8000' }));
    const before = await takeSnapshot(sandbox);
    const bad = await world.run('dashboard-move', params);
    expect([bad.outcome, bad.failures]).toEqual([
      'rolled-back',
      [expect.stringMatching(/^dashboard\/served: SB-GATE-TIMEOUT/)],
    ]);
    expect(compareSnapshots(before, await takeSnapshot(sandbox))).toEqual([]);
    expect(await browser()).toContain(OLD);

    rmSync(join(folder, 'pinned.json'));
    const run = await world.run('dashboard-move', params);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'dashboard/served')).toMatchObject({ scripts: 1, missing: 0, stale: 0 });
    expect(await browser()).toMatch(/wss:\/\/staging-api\.r3mes\.io/);
    expect(await browser()).not.toContain(OLD);
  });
});
