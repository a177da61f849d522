import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { nodePaths } from '../../paths.ts';
import { lastHeight } from './database.ts';
import { LOCKED, takeLock } from './lock.ts';
import type { Release } from './versions.ts';

/**
 * `remesd export`: the application's state as JSON. Start-up validation speaks on standard output, as in the real
 * program, so a redirect of it is not JSON; only `--output-document` is.
 */
export async function exportState(home: string, document: string | undefined, release: Release): Promise<number> {
  const paths = nodePaths(home);
  process.stdout.write('configuration validated: 0 errors, 0 warnings\n');
  if (!existsSync(paths.data)) {
    process.stderr.write(`Error: stat ${paths.data}: no such file or directory\n`);
    return 1;
  }
  if (!(await takeLock(paths.lock))) {
    process.stderr.write(`${LOCKED}\n`);
    return 1;
  }
  const genesis = JSON.parse(readFileSync(paths.genesis, 'utf8'));
  const height = lastHeight(paths);
  const state = {
    app_name: 'remesd',
    app_version: release.version,
    genesis_time: genesis.genesis_time,
    chain_id: genesis.chain_id,
    initial_height: height + 1,
    app_hash: null,
    app_state: { remes: { params: { schema: release.schema }, miners: ['miner-1', 'miner-2', 'miner-3'] } },
    consensus: { params: { block: { max_bytes: '22020096', max_gas: '-1' } } },
  };
  const text = `${JSON.stringify(state)}\n`;
  if (document === undefined) process.stdout.write(text);
  else writeFileSync(document, text);
  return 0;
}
