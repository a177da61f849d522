import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from './host-program.ts';
import { inRepository } from './repository.ts';

export interface SbomOptions {
  /** The Debian package that it is about. */
  name: string;
  version: string;
  /** The workspace package of its program, such as `@signalbox/agent`. */
  root: string;
  /** Folders of the npm packages that something was taken from (`bundle`). */
  packages: readonly string[];
  epochSeconds: number;
}

const Component = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  group: z.string().optional(),
  version: z.string(),
});
type Component = z.infer<typeof Component>;
const Bom = z.looseObject({
  metadata: z.looseObject({ component: Component }),
  components: z.array(Component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});

/**
 * What a Debian package is made of, as CycloneDX 1.6: pnpm's own list of what is installed for its program, with the hashes of the
 * lockfile, less what the bundle took nothing of, and the Node that goes with it. The same sources give the same text.
 * @throws Error when something was bundled that pnpm does not list.
 */
export async function sbomOf({ name, version, root, packages, epochSeconds }: SbomOptions): Promise<string> {
  const bom = Bom.parse(JSON.parse(await pnpm(root)));
  const bundled = new Set(packages.map(coordinate));
  const missing = [...bundled].filter((each) => !bom.components.some((component) => coordinateOf(component) === each));
  if (missing.length > 0) throw new Error(`bundled, but not in pnpm's list: ${missing.join(', ')}`);
  const node = { type: 'platform', name: 'node', version: process.versions.node };
  const runtime = { ...node, 'bom-ref': `node@${node.version}`, purl: `pkg:generic/node@${node.version}` };
  const kept = bom.components.filter((each) => each.group === '@signalbox' || bundled.has(coordinateOf(each)));
  const components = [...kept, runtime].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const own = { ...bom.metadata.component, type: 'application', name, version };
  const refs = new Set([own['bom-ref'], ...components.map((each) => each['bom-ref'])]);
  const whole = {
    ...bom,
    serialNumber: '',
    metadata: { ...bom.metadata, timestamp: new Date(epochSeconds * 1_000).toISOString(), component: own },
    components,
    dependencies: bom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)).sort() }))
      .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
  };
  return `${JSON.stringify({ ...whole, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(whole))}` }, null, 2)}\n`;
}

/** As setup does it: npm has the version that package.json names. */
async function pnpm(root: string): Promise<string> {
  const { packageManager } = JSON.parse(readFileSync(inRepository('package.json'), 'utf8')) as {
    packageManager: string;
  };
  const ask = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6', '--prod'];
  return await run('npm', ['exec', '--yes', packageManager, '--', '--filter', root, ...ask], {
    cwd: inRepository(),
    env: { pnpm_config_pm_on_fail: 'ignore' },
  });
}

function coordinate(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Component;
  return `${name}@${version}`;
}

const coordinateOf = ({ group, name, version }: Component): string =>
  `${group === undefined ? '' : `${group}/`}${name}@${version}`;

/** RFC 9562, version 8: made of what it names. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}
