import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAgent } from './agent-bus.ts';
import { startMesh } from './local-mesh.ts';
import { bytes, codeOf, startLab, text, until } from './test-fixture.ts';

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('embedded server', () => {
  it('listens on loopback, is healthy, keeps its files to itself and ends with stop()', async () => {
    const folder = await temporaryFolder();
    const mesh = await startMesh({ mesh: 'lab', agents: [], dir: folder });
    expect(mesh.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(mesh.server.healthUrl ?? '')).ok).toBe(true);
    for (const name of ['nats-server.json', 'nats-server.log']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    await mesh.stop();
    await mesh.stop();
    expect(alive(mesh.server.pid)).toBe(false);
  });

  it('takes in a new host while it runs, and disturbs nobody', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const present = await lab.agent('a1');
    const key = await lab.mesh.enrol('a3');
    await coordinator.prepare(['a1', 'a3']);
    const options = { servers: [lab.mesh.url], mesh: 'lab', host: 'a3', seed: key.seed, name: 'a3' };
    const fresh = await connectAgent({ ...options, connectTimeoutMs: 2_000 });
    const heard: string[] = [];
    await fresh.commands(async ({ data, ack }) => {
      heard.push(text(data));
      ack();
    });
    await coordinator.sendCommand('a3', 'c:1', bytes('welcome'), 60_000);
    await until(() => heard.length === 1);
    await fresh.close();
    expect(present.connected).toBe(true);
    expect([present.stats.reconnects, coordinator.stats.reconnects]).toEqual([0, 0]);
  });

  it('keeps keys, port and store over a stop and a start in the same folder', async () => {
    const folder = await temporaryFolder();
    const first = await startMesh({ mesh: 'lab', agents: ['a1'], dir: folder });
    await first.stop();
    const second = await startMesh({
      mesh: 'lab',
      agents: ['a1'],
      dir: folder,
      keys: first.keys,
      port: first.server.port,
    });
    expect(second.url).toBe(first.url);
    expect(second.agentKey('a1').publicKey).toBe(first.agentKey('a1').publicKey);
    await second.stop();
  });

  it('outlives the process that started it, when it is detached', async () => {
    const folder = await temporaryFolder();
    const script = `
      import { startMesh } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
      const mesh = await startMesh({ mesh: 'lab', agents: [], dir: ${JSON.stringify(folder)}, detached: true });
      console.log(mesh.server.pid);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    starter.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    await new Promise((resolve) => starter.once('close', resolve));
    const pid = Number(printed);
    try {
      expect(alive(pid)).toBe(true);
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await until(() => !alive(pid));
  });

  it.each([
    ['SB-BUS-SERVER-MISSING', 'a path where nothing is', undefined],
    ['SB-BUS-SERVER-MISSING', 'a program that is no nats-server', '#!/bin/sh\necho hello\n'],
    ['SB-BUS-SERVER-TOO-OLD', "Debian 12's own", '#!/bin/sh\necho nats-server: v2.9.10\n'],
    ['SB-BUS-SERVER-START', 'one that ends at once', '#!/bin/sh\n[ "$1" = --version ] && echo v2.14.0 || exit 3\n'],
  ])('says %s for %s', async (code, _what, script) => {
    const folder = await temporaryFolder();
    const binary = join(folder, 'nats-server');
    if (script !== undefined) await writeFile(binary, script, { mode: 0o755 });
    expect(await codeOf(() => startMesh({ mesh: 'lab', agents: [], binary }))).toBe(code);
  });

  it('says why it could not start, in the words of the server', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expect(startMesh({ mesh: 'lab', agents: [], port })).rejects.toThrow(
      /SB-BUS-SERVER-START(.|\n)*address already in use/,
    );
    await new Promise((resolve) => taken.close(resolve));
  });
});
