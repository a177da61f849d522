import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackages, type Packages } from '@signalbox/packaging';
import type { Lab } from './lab.ts';

export const NEWER = '0.1.1';

/** The packages as they are published, of a version after the one that the lab's hosts have; built once a lab. */
export async function newerPackages(lab: Lab): Promise<Packages> {
  const outDir = join(lab.folder, 'newer');
  const built = join(outDir, 'packages.json');
  if (!existsSync(built)) writeFileSync(built, JSON.stringify(await buildPackages({ outDir, version: NEWER })));
  return JSON.parse(readFileSync(built, 'utf8')) as Packages;
}
