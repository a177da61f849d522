import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPaths } from '../../paths.ts';
import { complained, type Printed } from './printed.ts';
import type { UnitFile } from './unit-file.ts';

/** A change to the links that decide which units start at boot and which must not start at all. */
export type Installation = (paths: HostPaths, files: readonly UnitFile[], options: { runtime: boolean }) => Printed;

/** systemctl tells about links on standard error. */
const told = (lines: readonly string[]): Printed => ({
  stdout: '',
  stderr: lines.map((line) => `${line}\n`).join(''),
  exitCode: 0,
});

/** Refuses where a unit file lies in the same folder: systemctl(1) on `mask`. */
export const mask: Installation = (paths, files, { runtime }) => {
  const folder = runtime ? paths.runtimeUnits : paths.installedUnits;
  mkdirSync(folder, { recursive: true });
  const said: string[] = [];
  for (const { name } of files) {
    const path = join(folder, name);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isFile()) return complained(`Failed to mask unit: File ${path} already exists.`, 1);
    if (there) continue;
    symlinkSync('/dev/null', path);
    said.push(`Created symlink ${path} → /dev/null.`);
  }
  return told(said);
};

/** Without `--runtime` both masks go. */
export const unmask: Installation = (paths, files, { runtime }) => {
  const folders = runtime ? [paths.runtimeUnits] : [paths.installedUnits, paths.runtimeUnits];
  const said: string[] = [];
  for (const path of files.flatMap(({ name }) => folders.map((folder) => join(folder, name)))) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    rmSync(path);
    said.push(`Removed "${path}".`);
  }
  return told(said);
};

export const enable: Installation = (paths, files) => {
  mkdirSync(paths.wants, { recursive: true });
  const said: string[] = [];
  for (const { name, loadState, fragmentPath } of files) {
    if (loadState === 'not-found') return complained(`Failed to enable unit: Unit file ${name} does not exist.`, 1);
    if (loadState === 'masked') return complained(`Failed to enable unit: Unit file ${name} is masked.`, 1);
    const link = join(paths.wants, name);
    if (existsSync(link)) continue;
    symlinkSync(fragmentPath, link);
    said.push(`Created symlink ${link} → ${fragmentPath}.`);
  }
  return told(said);
};

export const disable: Installation = (paths, files) => {
  const said: string[] = [];
  for (const link of files.map(({ name }) => join(paths.wants, name))) {
    if (!existsSync(link)) continue;
    rmSync(link);
    said.push(`Removed "${link}".`);
  }
  return told(said);
};
