import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../run.ts';
import { testIo } from '../testing/test-io.ts';

const NODE_UPGRADE = fileURLToPath(new URL('../../../../runbooks/r3mes/node-upgrade.yaml', import.meta.url));
const PARAMS = { binary: '/opt/remesd', sha256: 'ab'.repeat(32), version: '1.4.0', minerPackage: 'r3mes-miner==1.4.0' };
const DEPLOY = `apiVersion: signalbox/v1
kind: Runbook
metadata: { name: deploy, summary: Deploys with an action that this version does not bring }
spec:
  hosts: { web: { match: { role: web }, count: { min: 2, max: 2 } } }
  steps:
    - { id: deployed, hosts: web, do: acme.deploy, with: { at: '\${host.labels.place}', on: '\${host.facts.os.name}' } }
`;
const CATALOGUE = {
  actions: [
    {
      ...{
        name: 'acme.deploy',
        version: 3,
        summary: 'deploys',
        effect: 'reversible',
        does: 'deploy',
        undoes: 'put back',
      },
      ...{ input: { type: 'object', properties: { at: { type: 'string' }, on: { type: 'string' } } }, touches: [] },
    },
  ],
  probes: [],
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-simulate-'));
  writeFileSync(join(dir, 'params.json'), JSON.stringify(PARAMS));
  writeFileSync(join(dir, 'deploy.yaml'), DEPLOY);
  writeFileSync(join(dir, 'catalogue.json'), JSON.stringify(CATALOGUE));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function simulate(...argv: string[]) {
  const io = testIo({ env: { HOME: dir }, cwd: dir });
  const exit = await runCli(['simulate', ...argv], io);
  return { exit, stdout: io.stdout, stderr: io.stderr };
}

describe('simulate', () => {
  it('runs a runbook on invented hosts, where no mesh is', async () => {
    const { exit, stdout } = await simulate(NODE_UPGRADE, '--params', 'params.json', '--seeds', '10', '--json');
    expect(exit).toBe(0);
    const { runbook, fates, broken } = JSON.parse(stdout);
    expect([runbook, broken]).toEqual(['r3mes-node-upgrade', []]);
    expect(fates).toContainEqual(expect.objectContaining({ step: 'node-stopped', host: 'node', days: 1 }));
  });

  it('uses the hosts that are named, and tells a day event by event', async () => {
    const hosts = ['--hosts', 'miners=m-7,m-8'];
    const { exit, stdout } = await simulate(NODE_UPGRADE, '--params', 'params.json', ...hosts, '--seed', '2');
    expect(exit).toBe(0);
    expect(stdout).toContain('agent m-8');
    expect(stdout).toMatch(/seed 2: every invariant holds; the run is \w+/);
  });

  it('knows actions of other versions from a catalogue, and refuses what is in none', async () => {
    const refused = await simulate('deploy.yaml');
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining('acme.deploy')]);
    const { exit, stdout } = await simulate('deploy.yaml', '--catalogue', 'catalogue.json', '--seeds', '8');
    expect(exit).toBe(0);
    expect(stdout).toContain('hosts: web-1, web-2 (invented: no mesh answers)');
    expect(stdout).toMatch(/deployed +web-2 +\d/);
  });

  it('wants whole numbers and a catalogue that is one', async () => {
    expect((await simulate('deploy.yaml', '--seeds', 'many')).stderr).toContain('--seeds wants a whole number');
    expect((await simulate('deploy.yaml', '--catalogue', 'deploy.yaml')).stderr).toContain(
      'deploy.yaml is no catalogue',
    );
  });
});
