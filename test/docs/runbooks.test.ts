import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import { table } from '@signalbox/protocol/reference';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BACKEND_UNIT, backendUnit } from '../lab/furnish-backend.ts';
import { DASHBOARD_UNIT, dashboardUnit } from '../lab/furnish-dashboard.ts';
import { MINER_UNIT } from '../lab/furnish-miner.ts';
import { NODE_UNIT, nodeHome } from '../lab/furnish-node.ts';
import { BACKEND_CODE, DASHBOARD_FOLDER, ENV_FILE } from '../lab/hosts/furnish-platform.ts';
import { GREEN_ENV, GREEN_UNIT } from '../lab/hosts/furnish-production.ts';
import { hostPaths } from '../lab/paths.ts';
import { REPOSITORY } from '../lab/programs.ts';

interface Param {
  name: string;
  type: string;
  of?: Json;
  default?: Json;
  help?: string;
}
interface Book {
  /** As it is typed: `runbooks/r3mes/node-upgrade.yaml`. */
  file: string;
  name: string;
  summary: string;
  params: Param[];
}

const FOLDERS = ['runbooks/r3mes', 'runbooks/fast-data'];
const BOOKS = FOLDERS.flatMap(booksIn);
const PARTS = booksIn('runbooks/r3mes/parts');
const params = [...BOOKS, ...PARTS].flatMap(({ file, params }) => params.map((param) => ({ file, ...param })));

function booksIn(folder: string): Book[] {
  const files = readdirSync(join(REPOSITORY, folder)).filter((name) => name.endsWith('.yaml'));
  return files.sort().map((name) => {
    const file = `${folder}/${name}`;
    const { metadata, spec } = parse(readFileSync(join(REPOSITORY, file), 'utf8'));
    const declared = Object.entries<Omit<Param, 'name'>>(spec.params ?? {});
    return {
      file,
      name: metadata?.name ?? name,
      summary: metadata?.summary ?? '',
      params: declared.map(([param, said]) => ({ ...said, name: param })),
    };
  });
}

/** The page that lists what each runbook can be given. `npx vitest run test/docs -u` writes it anew. */
function page(): string {
  return [
    '# Runbooks',
    '',
    'Made from the files; change them, not this page. What each runbook of both guides does and what it is given, with',
    '`--params FILE` or `--param NAME=VALUE`. A parameter without a default must be given. Secrets are references (`file:`, `env:`,',
    '`aws:`, `sealed:`), also inside of `postgres`, `mongodb` and `kafka`.',
    '',
    ...BOOKS.flatMap(({ file, name, summary, params }) => [
      `## ${name}`,
      '',
      `${summary}. [\`${file}\`](../../${file})`,
      '',
      ...(params.length === 0 ? [] : [...table(['parameter', 'type', 'default', 'what it is'], params.map(rowOf)), '']),
    ]),
  ].join('\n');
}

function rowOf({ name, type, of, default: preset, help }: Param): string[] {
  const given = preset === undefined ? '' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
  const fields = isJsonObject(of) ? `{ ${Object.keys(of).join(', ')} }` : String(of ?? '');
  return [`\`${name}\``, fields === '' ? type : `${type} of ${fields}`, given === '``' ? '`""`' : given, help ?? ''];
}

describe('parameters of runbooks', () => {
  it('are listed in docs/reference/runbooks.md', async () => {
    await expect(page()).toMatchFileSnapshot('../../docs/reference/runbooks.md');
  });

  it('all say what they are', () => {
    const silent = params.filter(({ help = '' }) => help.length < 8);
    expect(silent.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  it('[I9] that could hold a secret are references; others may only name where one is', () => {
    const plain = params.flatMap((param) => [param, ...fieldsOf(param)]).filter(({ type }) => PLAIN.has(type));
    const suspect = plain.filter(({ name, help = '' }) => SECRET.test(name) && !/\b(names?|Secrets?)\b/.test(help));
    expect(suspect.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
    const texts = params.map(({ file, name, default: preset }) => `${file}: ${name} ${JSON.stringify(preset)}`);
    expect(texts.filter((text) => /:\/\/[^/@\s"]*:[^/@\s"]+@/.test(text))).toEqual([]);
  });
});

const PLAIN = new Set(['string', 'url']);
const SECRET = /password|passwd|secret|token|mnemonic|credential|private|uri$/i;

function fieldsOf({ file, help, of }: Param & { file: string }) {
  const fields: JsonObject = isJsonObject(of) ? of : {};
  return Object.entries(fields).map(([name, field]) => ({
    ...{ file, name, help: help ?? '' },
    type: String(isJsonObject(field) ? field.type : field),
  }));
}

describe('defaults of the runbooks of R3MES', () => {
  const backend = settingsOf(backendUnit(BACKEND_CODE, ENV_FILE));
  const dashboard = settingsOf(dashboardUnit({ folder: DASHBOARD_FOLDER, port: 3000, node: 'node' }));
  const home = nodeHome(hostPaths('/'));
  /** What the units of the lab's hosts say, by the name of the parameter; a runbook for another service has its own. */
  const SAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    code: { '': backend.WorkingDirectory ?? '' },
    dashboard: { '': dashboard.WorkingDirectory ?? '' },
    folder: { 'dashboard-': dashboard.WorkingDirectory ?? '' },
    backendFile: { '': backend.EnvironmentFile ?? '' },
    file: { 'miner-': '/etc/r3mes/miner.env', 'production-cutover': GREEN_ENV, '': backend.EnvironmentFile ?? '' },
    home: { '': home },
    unit: { 'miner-': MINER_UNIT, 'dashboard-': DASHBOARD_UNIT, '': BACKEND_UNIT },
    blue: { '': BACKEND_UNIT },
    green: { '': GREEN_UNIT },
  };
  const known = params.filter(({ file, default: preset }) => file.includes('/r3mes/') && preset !== undefined);

  it.each(Object.keys(SAID))('of `%s` are what the units of the lab say', (name) => {
    const defaults = known.filter((param) => param.name === name);
    expect(defaults.length).toBeGreaterThan(0);
    for (const { file, default: preset } of defaults) {
      const base = file.split('/').at(-1) ?? '';
      const [, said] = Object.entries(SAID[name] ?? {}).find(([start]) => base.startsWith(start)) ?? [];
      if (said !== undefined) expect(preset, file).toBe(said);
    }
  });

  it('name units that exist', () => {
    const units = [NODE_UNIT, MINER_UNIT, BACKEND_UNIT, GREEN_UNIT, DASHBOARD_UNIT];
    const named = known.filter(({ default: preset }) => typeof preset === 'string' && preset.endsWith('.service'));
    expect(named.length).toBeGreaterThan(5);
    for (const { file, default: preset } of named) expect(units, file).toContain(preset);
  });
});

function settingsOf(unit: string): Record<string, string> {
  return Object.fromEntries([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
