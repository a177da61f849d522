import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { nodePaths } from '../../paths.ts';
import { readHeight, replaceFile } from './files.ts';
import type { Release } from './versions.ts';

type NodePaths = ReturnType<typeof nodePaths>;

/** A panic of the application: what it found on disk is newer than itself. */
export class SchemaTooNew extends Error {}

/**
 * Brings the application database into the release's form and leaves what the next release cannot read back: after this
 * only a backup returns to the older one.
 */
export function migrate(paths: NodePaths, { version, schema }: Release): void {
  const { schema: found } = JSON.parse(readFileSync(paths.schema, 'utf8'));
  if (found > schema) {
    throw new SchemaTooNew(`application database has schema ${found}; ${version} knows schemas up to ${schema}`);
  }
  if (found === schema) return;
  for (const table of readdirSync(paths.tables).filter((name) => name.endsWith('.ldb'))) {
    // A third of the tables hold module parameters, the part that upgrades rewrite.
    if (Number.parseInt(table, 10) % 3 === 0) appendFileSync(join(paths.tables, table), `migrated to ${schema}\n`);
  }
  writeFileSync(paths.schema, `${JSON.stringify({ schema, migratedBy: version })}\n`);
}

export const lastHeight = (paths: NodePaths) => readHeight(paths.height);

export function storeBlock(paths: NodePaths, height: number, blockHash: string): void {
  appendFileSync(paths.blocks, `${height} ${blockHash}\n`);
  replaceFile(paths.height, `${JSON.stringify({ height: String(height) })}\n`);
}
