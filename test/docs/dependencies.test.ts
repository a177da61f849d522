import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sbomOf } from '@signalbox/packaging';
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
