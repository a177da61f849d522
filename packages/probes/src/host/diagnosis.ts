import { statfs } from 'node:fs/promises';
import { type HostContext, type JsonObject, toFailure } from '@signalbox/protocol';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { UnitName } from '../support/unit.ts';
import { alembicState, foldersWithScripts } from './diagnosis/alembic.ts';
import { COMPOSE_LABELS, composeConfig, composeFiles } from './diagnosis/compose.ts';
import { lastLines, type SeenUnit, seenUnits, unitValues } from './diagnosis/units.ts';
import { packages, versions } from './diagnosis/versions.ts';

const With = z.strictObject({
  units: z
    .array(UnitName)
    .default([
      'remesd.service',
      'r3mes-miner.service',
      'r3mes-backend.service',
      'r3mes-frontend.service',
      'ipfs.service',
    ])
    .describe('Units to look at; those that the host does not know are left out.'),
  folders: z
    .array(z.string().startsWith('/'))
    .default(['/opt/r3mes/backend'])
    .describe('Where to look for Alembic and compose files, besides the working folders of the units.'),
  lines: z.int().min(0).max(50).default(10).describe('Lines of each unit’s journal.'),
});
type With = z.infer<typeof With>;

const DISKS = ['/', '/var', '/home'];

export const hostDiagnosis = defineProbe<With>({
  name: 'host.diagnosis',
  version: 1,
  summary:
    'What somebody who is called at night looks at first: units, their last words, names of variables, schema, compose, containers, disks, versions.',
  schema: With,
  values: {
    units: {
      type: 'object',
      help: 'by unit: states, restarts, program, and the names of its variables; never a value',
    },
    journal: { type: 'object', help: 'by unit: last lines, with what looks like a password left out' },
    alembic: {
      type: 'object',
      help: 'by folder with alembic.ini: current revision of the database that its unit names, heads of the scripts, or a problem',
    },
    compose: {
      type: 'object',
      help: 'by compose file, by service: image, build folder, ports, volumes, and names of variables; no values of them, no commands',
    },
    containers: { type: 'object', help: 'by container: image and state' },
    disks: { type: 'object', help: 'by mount point: { sizeBytes, freeBytes }' },
    versions: { type: 'object', help: 'of the operating system and of what is installed' },
    packages: { type: 'object', help: 'by virtual environment of a unit: versions of its Python packages' },
    missing: { type: 'object', help: 'by part of this answer: why it could not be had' },
  },

  async sample(context, { units, folders, lines }) {
    const missing: Record<string, string> = {};
    const why = (error: unknown) =>
      toFailure(error, probeError('SB-PROBE-FAILED', 'it cannot be read').failure).message;
    const known = await seenUnits(context, units).catch((error: unknown) => {
      missing.units = why(error);
      return [];
    });
    /** One part that cannot be had does not spoil the rest. */
    async function part(name: string, none: string, look: () => Promise<JsonObject>): Promise<JsonObject> {
      try {
        const found = await look();
        if (Object.keys(found).length > 0) return { [name]: found };
        missing[name] = none;
      } catch (error) {
        missing[name] = why(error);
      }
      return {};
    }
    const places = [...folders, ...known.map(({ reading }) => reading.workingDirectory)];
    const parts = await Promise.all([
      part('journal', 'no journal to read', () => journalOf(context, known, lines)),
      part('alembic', 'no folder with alembic.ini', async () => {
        const scripts = await foldersWithScripts(known, folders);
        return byName(scripts, async (it) => [it.folder, await alembicState(context, it)]);
      }),
      part('compose', 'no compose file', async () => {
        const files = await composeFiles(places, await labelsOf(context));
        return byName(files, async (file) => [file, await composeConfig(context, file)]);
      }),
      part('containers', 'no Docker engine answers, or it has none', () => containersOf(context)),
      part('disks', 'no disk could be asked', disksOf),
      part('versions', 'no version could be asked', () => versions(context, known)),
      part('packages', 'no unit here runs from a virtual environment', () => packages(context, known)),
    ]);
    const shown = Object.fromEntries(known.map((seen) => [seen.unit, unitValues(seen)]));
    return { units: shown, ...Object.assign({}, ...parts), missing };
  },
});

async function byName<T>(all: readonly T[], read: (one: T) => Promise<[string, JsonObject]>): Promise<JsonObject> {
  return Object.fromEntries(await Promise.all(all.map(read)));
}

async function journalOf(context: HostContext, units: readonly SeenUnit[], lines: number): Promise<JsonObject> {
  if (lines === 0) return {};
  const said = await Promise.all(units.map(async ({ unit }) => [unit, await lastLines(context, unit, lines)] as const));
  return Object.fromEntries(said.flatMap(([unit, found]) => (found === undefined ? [] : [[unit, found]])));
}

async function containersOf(context: HostContext): Promise<JsonObject> {
  const rows = await listContainers(context, ['{{.Names}}', '{{.Image}}', '{{.Status}}']);
  return Object.fromEntries(rows.map(([name = '', image = '', status = '']) => [name, { image, status }]));
}

function labelsOf(context: HostContext): Promise<string[][]> {
  return listContainers(
    context,
    COMPOSE_LABELS.map((label) => `{{.Label "${label}"}}`),
  );
}

async function listContainers(context: HostContext, fields: readonly string[]): Promise<string[][]> {
  const argv = ['docker', 'ps', '--all', '--format', fields.join('\t')] as const;
  const { exitCode, stdout } = await context.exec(argv, { quiet: true, timeoutMs: 5_000 });
  const lines = exitCode === 0 ? stdout.split('\n').filter(Boolean) : [];
  return lines.map((line) => line.split('\t'));
}

async function disksOf(): Promise<JsonObject> {
  const found: JsonObject = {};
  for (const path of DISKS) {
    const disk = await statfs(path).catch(() => undefined);
    if (disk) found[path] = { sizeBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize };
  }
  return found;
}
