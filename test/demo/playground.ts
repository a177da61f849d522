// `npm run playground`: the demo's hosts, for somebody who wants to type the commands. docs/guides/ten-minutes.md goes through it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { downloadedBinary } from '../lab/furnish-node.ts';
import { Janitor } from '../lab/janitor.ts';
import { PROGRAMS } from '../lab/programs.ts';
import type { NodeSandbox } from '../lab/sandbox.ts';
import { raiseMesh } from './mesh.ts';

/** One place, so that a page can name it. */
const DIR = join(realpathSync(tmpdir()), 'signalbox-playground');
const RELEASES = { good: 'v1.0.0', bad: 'v1.0.1-bad' };

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  if (existsSync(DIR)) {
    process.stderr.write(`${DIR} is there already: end the other playground with Ctrl-C, or remove the folder\n`);
    process.exitCode = 1;
    return;
  }
  const janitor = new Janitor();
  mkdirSync(DIR, { mode: 0o700 });
  janitor.add('folder', async () => rmSync(DIR, { recursive: true, force: true }));
  janitor.onSignals(() => say('ending everything that was started …'));
  try {
    await setUp(janitor);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    if (!janitor.isSweeping) process.stderr.write(`the playground cannot go on: ${why}\n`);
    process.exitCode = 1;
    await janitor.sweep();
  }
}

async function setUp(janitor: Janitor): Promise<void> {
  const { hosts, mesh } = await raiseMesh({ name: 'playground', dir: DIR, janitor });
  mkdirSync(join(DIR, 'bin'));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${PROGRAMS.signalbox}' --config '${mesh.settings}' "$@"\n`;
  writeFileSync(join(DIR, 'bin', 'signalbox'), command, { mode: 0o755 });
  for (const [name, version] of Object.entries(RELEASES)) writeParams(hosts.node, name, version);
  say(`ready: ${hosts.all.map(({ name }) => name).join(', ')}; everything is in ${DIR}. Ctrl-C ends it.`);
}

/** What an operator writes down before the night: which binary, and what it has to be. */
function writeParams({ paths, home }: NodeSandbox, name: string, version: string): void {
  const binary = downloadedBinary(paths, version);
  const sha256 = createHash('sha256').update(readFileSync(binary)).digest('hex');
  const params = { binary, sha256, version, minerPackage: 'r3mes-miner==1.0.0', home, window: '3s' };
  writeFileSync(join(DIR, `${name}.yaml`), stringify(params, { lineWidth: 0 }));
}

await main();
