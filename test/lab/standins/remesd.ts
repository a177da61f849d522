// `remesd` on a host in the lab: command line, files, ports, lock and habits of a Cosmos SDK 0.50 node on CometBFT 0.38.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodePaths } from '../paths.ts';
import { leaveMark } from './mark.ts';
import { getStatus } from './node-status.ts';
import { readConfig } from './remesd/config.ts';
import { migrate, SchemaTooNew } from './remesd/database.ts';
import { exportState } from './remesd/export.ts';
import { beginFromGenesis, initHome, isEmpty, NoGenesis, validateGenesis } from './remesd/genesis.ts';
import { LOCKED, takeLock } from './remesd/lock.ts';
import { ChainNode } from './remesd/node.ts';
import { hasCommand, query } from './remesd/query.ts';
import { createRpc } from './remesd/rpc.ts';
import { type Release, releaseOf } from './remesd/versions.ts';

const USAGE = `R3MES Network Daemon (server)

Usage:
  remesd [command]

Available Commands:
  comet       CometBFT subcommands
  config      Utilities for managing application configuration
  export      Export state to JSON
  genesis     Application's genesis-related subcommands
  help        Help about any command
  init        Initialize private validator, p2p, genesis, and application configuration files
  keys        Manage your application's keys
  query       Querying subcommands
  start       Run the full node
  status      Query remote node for status
  tx          Transactions subcommands
  version     Print the application binary version information

Flags:
  -h, --help          help for remesd
      --home string   directory for config and data (default "~/.remes")
`;

/** What a Go program that panics ends with. */
const PANIC = 2;
const STATUS_TIMEOUT_MS = 10_000;

export async function main(root: string, version: string): Promise<void> {
  const release = releaseOf(version);
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: {
      home: { type: 'string', default: join(process.env.HOME ?? '/', '.remes') },
      'output-document': { type: 'string' },
      node: { type: 'string' },
      output: { type: 'string' },
      'chain-id': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const text = (name: keyof typeof values) => (typeof values[name] === 'string' ? values[name] : undefined);
  const home = text('home') ?? '';
  const [command] = positionals;
  leaveMark(root, command === 'start' || command === 'export' || command === 'init');

  if (values.help || command === undefined || command === 'help') process.stdout.write(help(positionals, release));
  else if (command === 'version') process.stdout.write(`${release.version}\n`);
  else if (command === 'export') process.exitCode = await exportState(home, text('output-document'), release);
  else if (command === 'status') process.exitCode = await printStatus(text('node') ?? 'tcp://localhost:26657');
  else if (command === 'query') process.exitCode = query(positionals.slice(1), release);
  else if (command === 'init')
    process.exitCode = initHome(home, positionals[1] ?? '', text('chain-id') ?? 'test-chain');
  else if (command === 'genesis' && positionals[1] === 'validate') {
    process.exitCode = validateGenesis(positionals[2] ?? nodePaths(home).genesis);
  } else if (command === 'start') await start(root, home, release);
  else {
    process.stderr.write(`Error: unknown command "${command}" for "remesd"\n`);
    process.exitCode = 1;
  }
}

/** As Cobra does it: the usage of the deepest subcommand that is there, and no complaint about the rest. */
function help(positionals: readonly string[], release: Release): string {
  const known = positionals.filter((_, i) => hasCommand(positionals.slice(0, i + 1), release));
  if (known.length === 0) return USAGE;
  const more = hasCommand([...known, '*'], release) ? '[command]' : '[flags]';
  return `Usage:\n  remesd ${known.join(' ')} ${more}\n\nFlags:\n  -h, --help   help for ${known.at(-1)}\n`;
}

async function start(root: string, home: string, release: Release): Promise<void> {
  const paths = nodePaths(home);
  mkdirSync(paths.tables, { recursive: true });
  if (!(await takeLock(paths.lock))) return die(LOCKED, 1);
  try {
    if (isEmpty(paths)) beginFromGenesis(paths, release);
    migrate(paths, release);
  } catch (error) {
    if (!(error instanceof SchemaTooNew || error instanceof NoGenesis)) throw error;
    return die(`panic: ${error.message}`, PANIC);
  }
  const config = readConfig(paths.config);
  const node = new ChainNode({ root, home, version: release.version });
  const rpc = createRpc(node, { config, version: release.version });
  rpc.once('error', (error) =>
    die(`Error: failed to listen on ${config.rpc.host}:${config.rpc.port}: ${error.message}`, 1),
  );
  rpc.listen(config.rpc.port, config.rpc.host, () => node.start());
  process.once('SIGTERM', () => {
    node.stop();
    process.exit(0);
  });
  if (release.panicsAfterMs !== undefined) {
    setTimeout(
      () => die('panic: runtime error: invalid memory address or nil pointer dereference', PANIC),
      release.panicsAfterMs,
    );
  }
}

async function printStatus(address: string): Promise<number> {
  try {
    const { result } = await getStatus(address.replace(/^tcp:/, 'http:'), STATUS_TIMEOUT_MS);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`Error: post failed: ${String(error)}\n`);
    return 1;
  }
}

function die(message: string, code: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
