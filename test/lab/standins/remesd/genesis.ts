import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodePaths } from '../../paths.ts';
import { keyText } from './key.ts';
import type { Release } from './versions.ts';

type NodePaths = ReturnType<typeof nodePaths>;

/** A node with an empty database and a genesis that no application state can be made from. */
export class NoGenesis extends Error {}

/** `remesd init MONIKER --chain-id ID`: a home with a key of its own, nothing signed, and a genesis without an application. */
export function initHome(home: string, moniker: string, chainId: string): number {
  const { config, genesis, key, signerState } = nodePaths(home);
  if (existsSync(genesis)) {
    process.stderr.write(`Error: genesis.json file already exists: ${genesis}\n`);
    return 1;
  }
  for (const file of [config, signerState]) mkdirSync(dirname(file), { recursive: true });
  writeFileSync(config, `moniker = "${moniker}"\n`);
  writeFileSync(genesis, `${JSON.stringify({ chain_id: chainId, initial_height: 1, app_state: {} })}\n`);
  writeFileSync(key, keyText(randomBytes(20).toString('hex').toUpperCase()), { mode: 0o600 });
  writeFileSync(signerState, '{\n  "height": "0",\n  "round": 0,\n  "step": 0\n}\n', { mode: 0o600 });
  process.stderr.write(`${JSON.stringify({ moniker, chain_id: chainId })}\n`);
  return 0;
}

/** `remesd genesis validate FILE`: each module looks at its part. */
export function validateGenesis(file: string): number {
  try {
    const { chain_id: chain, app_state: app } = JSON.parse(readFileSync(file, 'utf8'));
    if (!chain || !Array.isArray(app?.remes?.miners))
      throw new Error('invalid genesis state for module remes: no miners');
    process.stdout.write(`File at ${file} is a valid genesis file\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`Error: error validating genesis file ${file}: ${String(error)}\n`);
    return 1;
  }
}

export const isEmpty = (paths: NodePaths) => !existsSync(paths.schema);

/** InitChain: the application's tables are made from the genesis, and the chain goes on at its initial height. */
export function beginFromGenesis(paths: NodePaths, { version, schema }: Release): void {
  const genesis = JSON.parse(readFileSync(paths.genesis, 'utf8'));
  const { app_state: app, initial_height: height } = genesis;
  if (!Array.isArray(app?.remes?.miners)) throw new NoGenesis('genesis doc has no state for module remes');
  for (const folder of ['blockstore.db', 'state.db', 'cs.wal']) {
    mkdirSync(join(paths.data, folder), { recursive: true });
  }
  writeFileSync(join(paths.tables, '000001.ldb'), JSON.stringify(app));
  writeFileSync(paths.blocks, '');
  writeFileSync(paths.height, `${JSON.stringify({ height: String(Number(height) - 1) })}\n`);
  writeFileSync(
    paths.schema,
    `${JSON.stringify({ schema: app.remes.params?.schema ?? schema, migratedBy: version })}\n`,
  );
}
