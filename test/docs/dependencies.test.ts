import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sbomOf } from '@signalbox/packaging';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REPOSITORY } from '../lab/programs.ts';

const STORE = join(REPOSITORY, 'node_modules', '.pnpm');

const Manifest = z.looseObject({
  name: z.string(),
  version: z.string(),
  scripts: z.record(z.string(), z.string()).default({}),
});

/** Folders of all packages that are installed for anything here, tools included. */
function installed(): string[] {
  return readdirSync(STORE).flatMap((each) => {
    const folder = join(STORE, each, 'node_modules');
    if (!existsSync(folder)) return [];
    const own = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return own.flatMap(({ name }) =>
      name.startsWith('@')
        ? readdirSync(join(folder, name), { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => join(folder, name, entry.name))
        : [join(folder, name)],
    );
  });
}

const read = (folder: string) => Manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));

describe('dependencies', () => {
  it('run no script when they are installed, and only named ones want to', () => {
    const { strictDepBuilds, allowBuilds } = z
      .looseObject({ strictDepBuilds: z.boolean(), allowBuilds: z.record(z.string(), z.boolean()) })
      .parse(parse(readFileSync(join(REPOSITORY, 'pnpm-workspace.yaml'), 'utf8')));
    expect([strictDepBuilds, Object.values(allowBuilds).includes(true)]).toEqual([true, false]);
    const wanting = installed().filter((folder) => existsSync(join(folder, 'package.json')) && wantsBuild(folder));
    expect([...new Set(wanting.map((folder) => read(folder).name))].sort()).toEqual(Object.keys(allowBuilds).sort());
  });

  it('with known vulnerabilities are counted and named, and the serious ones end the audit with 1', async () => {
    const known = (severity: string) => ({ id: 1, url: 'https://example.test/1', title: 'a hole', severity });
    const nats = (severity: string) => ({ nats: [{ ...known(severity), vulnerable_versions: '<99.0.0' }] });
    const high = await audited(nats('high'));
    expect(high.exitCode).toBe(1);
    expect(high.stdout).toMatch(
      /^audit: \d+ packages go into the product; known today: 0 critical, 1 high, 0 moderate/,
    );
    expect(high.stdout).toContain('audit: high: nats: a hole; put right in >=99.0.0 (https://example.test/1)');
    expect((await audited(nats('low'))).exitCode).toBe(0);
    const none = await audited(undefined);
    expect(none).toMatchObject({
      exitCode: 2,
      stdout: "audit: no figures: the registry's audit endpoint responded with 405",
    });
  }, 120_000);

  it('of a package are listed with their hashes, as they are in it, and the same each time', async () => {
    const packages = installed().filter((folder) => /\/(pino|nats|tweetnacl)$/.test(folder));
    const options = {
      name: 'signalbox-agent',
      version: '1.2.3',
      root: '@signalbox/agent',
      packages,
      epochSeconds: 1_700_000_000,
    };
    const text = await sbomOf(options);
    const { components, metadata, specVersion } = Sbom.parse(JSON.parse(text));
    expect(specVersion).toBe('1.6');
    expect(metadata).toMatchObject({
      timestamp: '2023-11-14T22:13:20.000Z',
      component: { name: 'signalbox-agent', version: '1.2.3' },
    });
    const foreign = components.filter(({ group }) => group !== '@signalbox');
    expect(foreign.map(({ name }) => name).sort()).toEqual(['nats', 'node', 'pino', 'tweetnacl']);
    const hashes = foreign
      .filter(({ name }) => name !== 'node')
      .map(({ externalReferences }) => JSON.stringify(externalReferences));
    expect(hashes.filter((each) => !each.includes('"SHA-512"'))).toEqual([]);
    expect(await sbomOf(options)).toBe(text);
    const stray = installed().find((folder) => folder.endsWith('/vitest')) ?? '';
    await expect(sbomOf({ ...options, packages: [stray] })).rejects.toThrow('bundled, but not in pnpm');
  }, 120_000);
});

/** What the audit says when the registry knows this; undefined: it has no audit endpoint. */
async function audited(advisories: object | undefined) {
  const registry = createServer((_, response) => {
    response.writeHead(advisories ? 200 : 405, { 'content-type': 'application/json' }).end(JSON.stringify(advisories));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = registry.address() as AddressInfo;
    const env = { pnpm_config_registry: `http://127.0.0.1:${port}` };
    return await execa(process.execPath, [join(REPOSITORY, '.ci/audit.mjs')], { env, reject: false });
  } finally {
    registry.close();
  }
}

const Sbom = z.looseObject({
  specVersion: z.string(),
  metadata: z.looseObject({}),
  components: z.array(
    z.looseObject({ name: z.string(), group: z.string().optional(), externalReferences: z.json().optional() }),
  ),
});

/** What npm would run (npm-scripts(7)): a script of the installation, or node-gyp where there is a binding.gyp. */
function wantsBuild(folder: string): boolean {
  const { scripts } = read(folder);
  const hooks = ['preinstall', 'install', 'postinstall'];
  return hooks.some((hook) => hook in scripts) || existsSync(join(folder, 'binding.gyp'));
}
