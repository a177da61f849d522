import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeExecutable } from '../executable.ts';

export interface Distribution {
  name: string;
  version: string;
}

/** What the package index has, newest last. */
export const INDEX: Record<string, string[]> = {
  'r3mes-miner': ['0.9.0', '1.0.0'],
  grpcio: ['1.66.2', '1.76.0'],
  protobuf: ['5.29.5', '6.33.1'],
};

const sitePackages = (venv: string) => join(venv, 'lib', 'python3.11', 'site-packages');
const folderName = (name: string) => name.replaceAll('-', '_');
/** PEP 503: names that differ only in case and separators are one. */
export const normalise = (name: string) => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** What is installed in a virtual environment, by name, as pip finds it: from the dist-info folders. */
export function installed(venv: string): Distribution[] {
  return readdirSync(sitePackages(venv))
    .flatMap((entry) => {
      const [, name, version] = /^(.+)-([^-]+)\.dist-info$/.exec(entry) ?? [];
      return name && version ? [{ name: normalise(name), version }] : [];
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

export const metadataOf = (venv: string, { name, version }: Distribution) =>
  join(sitePackages(venv), `${folderName(name)}-${version}.dist-info`);

export function putIn(venv: string, { name, version }: Distribution, host: string): void {
  const folder = join(sitePackages(venv), folderName(name));
  const info = metadataOf(venv, { name, version });
  mkdirSync(folder, { recursive: true });
  mkdirSync(info, { recursive: true });
  writeFileSync(join(folder, '__init__.py'), `__version__ = "${version}"\n`);
  writeFileSync(join(info, 'METADATA'), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
  if (name === 'r3mes-miner') writeExecutable(join(venv, 'bin', name), name, [host]);
}

export function takeOut(venv: string, { name, version }: Distribution): void {
  rmSync(join(sitePackages(venv), folderName(name)), { recursive: true, force: true });
  rmSync(join(sitePackages(venv), `${folderName(name)}-${version}.dist-info`), { recursive: true, force: true });
  rmSync(join(venv, 'bin', name), { force: true });
}

/** The version that an installed program runs: the one in the environment it lies in. */
export function versionIn(venv: string, name: string): string {
  const text = readFileSync(join(sitePackages(venv), folderName(name), '__init__.py'), 'utf8');
  return /__version__ = "(.+)"/.exec(text)?.[1] ?? 'unknown';
}

/** `python -m venv`, with pip in it. */
export function makeVenv(venv: string, distributions: readonly Distribution[], host: string): void {
  mkdirSync(sitePackages(venv), { recursive: true });
  writeFileSync(join(venv, 'pyvenv.cfg'), 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n');
  for (const program of ['pip', 'pip3']) writeExecutable(join(venv, 'bin', program), 'pip', [host, venv]);
  for (const program of ['python', 'python3']) writeExecutable(join(venv, 'bin', program), 'python', [host, venv]);
  for (const distribution of distributions) putIn(venv, distribution, host);
}
