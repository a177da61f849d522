import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPaths } from '../../paths.ts';

/** What a unit's files say, drop-ins merged in. Only what the lab's units use. */
export interface UnitFile {
  name: string;
  loadState: 'loaded' | 'not-found' | 'masked';
  unitFileState: '' | 'enabled' | 'disabled' | 'masked' | 'masked-runtime';
  fragmentPath: string;
  dropInPaths: string[];
  description: string;
  execStart: string[];
  environment: string[];
  /** Read at each start and not before, as systemd.exec(5) says; a dash in front makes one optional. */
  environmentFiles: string[];
  workingDirectory: string;
  user: string;
  restart: 'no' | 'always' | 'on-failure';
  restartMs: number;
  stopTimeoutMs: number;
}

/** systemd.time(7), as far as unit files use it: `3`, `3s`, `300ms`, `1min 30s`. */
export function parseTimespan(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, sec: 1000, '': 1000, min: 60_000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)) {
    total += Number(amount) * (units[unit ?? ''] ?? 1000);
  }
  return total;
}

/** Splits a command line or an assignment list as systemd does: blanks separate, quotes hold together. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) =>
    double === undefined ? (single ?? bare ?? '') : double.replace(/\\(.)/g, '$1'),
  );
}

type Settings = Map<string, string[]>;

/** `[Section] Key=value`; a key may stand several times, and an empty value takes back what was before it. */
function readSettings(path: string, into: Settings): void {
  let section = '';
  const text = readFileSync(path, 'utf8').replace(/\\\n/g, ' ');
  for (const line of text.split('\n').map((l) => l.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(line);
    if (header) {
      section = header[1] ?? '';
      continue;
    }
    const [, key, value] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    const name = `${section}.${key}`;
    if (value === '') into.set(name, []);
    else into.set(name, [...(into.get(name) ?? []), value]);
  }
}

function dropIns(paths: HostPaths, name: string): string[] {
  return paths.unitFolders
    .map((folder) => join(folder, `${name}.d`))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith('.conf'))
    .sort();
}

function isMask(path: string): boolean {
  try {
    return readlinkSync(path) === '/dev/null';
  } catch {
    // Not a link, or not there at all.
    return false;
  }
}

export function readEnvironmentFile(path: string): string[] {
  const optional = path.startsWith('-');
  const file = optional ? path.slice(1) : path;
  if (optional && !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && line.includes('='));
}

/**
 * The first folder that has the unit wins. That is why a runtime mask (in /run) hides a unit that a package brought
 * (/usr/lib) and does nothing to one that an administrator wrote into /etc: systemd.unit(5), "Unit File Load Path".
 */
export function loadUnitFile(paths: HostPaths, name: string): UnitFile {
  const candidates = paths.unitFolders.map((folder) => join(folder, name));
  const fragmentPath = candidates.find((path) => isMask(path) || existsSync(path)) ?? '';
  const masked = fragmentPath !== '' && isMask(fragmentPath);
  const settings: Settings = new Map();
  const dropInPaths = masked ? [] : dropIns(paths, name);
  if (fragmentPath !== '' && !masked) {
    for (const path of [fragmentPath, ...dropInPaths]) readSettings(path, settings);
  }
  const all = (key: string) => settings.get(key) ?? [];
  const last = (key: string, otherwise = '') => all(key).at(-1) ?? otherwise;
  const restart = last('Service.Restart', 'no');
  return {
    name,
    loadState: masked ? 'masked' : fragmentPath === '' ? 'not-found' : 'loaded',
    unitFileState: fileState(paths, name, { fragmentPath, masked }),
    fragmentPath: masked ? '/dev/null' : fragmentPath,
    dropInPaths,
    description: last('Unit.Description', name),
    execStart: splitWords(last('Service.ExecStart')),
    environment: all('Service.Environment').flatMap(splitWords),
    environmentFiles: all('Service.EnvironmentFile'),
    workingDirectory: last('Service.WorkingDirectory'),
    user: last('Service.User'),
    restart: restart === 'always' || restart === 'on-failure' ? restart : 'no',
    restartMs: parseTimespan(last('Service.RestartSec', '100ms')),
    stopTimeoutMs: parseTimespan(last('Service.TimeoutStopSec', '90s')),
  };
}

function fileState(
  paths: HostPaths,
  name: string,
  { fragmentPath, masked }: { fragmentPath: string; masked: boolean },
): UnitFile['unitFileState'] {
  if (masked) return fragmentPath.startsWith(paths.runtimeUnits) ? 'masked-runtime' : 'masked';
  if (fragmentPath === '') return '';
  return existsSync(join(paths.wants, name)) ? 'enabled' : 'disabled';
}
