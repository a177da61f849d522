import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeExecutable } from './executable.ts';
import { type HostPaths, nodePaths } from './paths.ts';
import { keyText } from './standins/remesd/key.ts';
import type { Network } from './standins/remesd/network.ts';
import { signerState } from './standins/remesd/signer.ts';
import { DOWNLOADED, INSTALLED } from './standins/remesd/versions.ts';

export interface NodePorts {
  rpc: number;
  p2p: number;
  /** Where both are served; loopback when it is left out. */
  host?: string;
}

export interface NodeOptions {
  name: string;
  ports: NodePorts;
  /** Whose key the node has; the validator's when it is left out. */
  address?: string;
}

/** The one validator of the chain that is ours. */
export const VALIDATOR = '1B2C3D4E5F60718293A4B5C6D7E8F90112233445';
export const NODE_UNIT = 'remesd.service';
/** Where the chain stands when a sandbox is made. */
export const FIRST_HEIGHT = 1200;
const BLOCK_MS = 200;
const TABLES = 48;

export const nodeHome = (paths: HostPaths) => join(paths.home, 'remes', '.remesd');
export const nodeBinary = (paths: HostPaths) => join(paths.localBin, 'remesd');
/** A release that lies on the host and is not installed: what an operator downloaded. */
export const downloadedBinary = (paths: HostPaths, version: string) =>
  join(paths.root, 'srv', 'releases', `remesd-${version}`);

/** A validator of the R3MES chain as its operators run it: one release installed, later ones downloaded. */
export function furnishNode(paths: HostPaths, options: NodeOptions): void {
  const home = nodeHome(paths);
  writeExecutable(nodeBinary(paths), 'remesd', [paths.root, INSTALLED]);
  for (const version of DOWNLOADED) {
    writeExecutable(downloadedBinary(paths, version), 'remesd', [paths.root, version]);
  }
  writeConfig(home, options);
  writeData(home);
  // The chain of several hosts is founded once.
  if (!existsSync(paths.labNetwork)) foundChain(paths);
  writeFileSync(join(paths.packagedUnits, NODE_UNIT), unitFile(paths, home));
}

/** The chain's other validators begin, and nobody has signed anything. */
function foundChain({ labNetwork, labSignatures }: HostPaths): void {
  const network: Network = {
    chainId: 'r3mes-lab-1',
    validator: VALIDATOR,
    firstHeight: FIRST_HEIGHT,
    startedAtMs: Date.now(),
    blockMs: BLOCK_MS,
  };
  writeFileSync(labNetwork, JSON.stringify(network));
  writeFileSync(labSignatures, '');
}

function unitFile(paths: HostPaths, home: string): string {
  return `[Unit]
Description=R3MES blockchain node
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=remes
ExecStart=${nodeBinary(paths)} start --home ${home}
Restart=always
RestartSec=300ms
ProtectSystem=strict
ReadWritePaths=${home} ${paths.lab}

[Install]
WantedBy=multi-user.target
`;
}

function writeConfig(home: string, { name, ports, address = VALIDATOR }: NodeOptions): void {
  const { host = '127.0.0.1' } = ports;
  const { config, genesis, key } = nodePaths(home);
  mkdirSync(join(home, 'config'), { recursive: true });
  writeFileSync(
    config,
    `moniker = "${name}"

[rpc]
laddr = "tcp://${host}:${ports.rpc}"

[p2p]
laddr = "tcp://${host}:${ports.p2p}"
`,
  );
  writeFileSync(genesis, '{"genesis_time":"2026-01-01T00:00:00Z","chain_id":"r3mes-lab-1","initial_height":"1"}\n');
  writeFileSync(key, keyText(address), { mode: 0o600 });
}

function writeData(home: string): void {
  const { data, tables, schema, lock, blocks, height, signerState: state } = nodePaths(home);
  for (const folder of [tables, join(data, 'blockstore.db'), join(data, 'state.db'), join(data, 'cs.wal')]) {
    mkdirSync(folder, { recursive: true });
  }
  for (let i = 1; i <= TABLES; i++) {
    const content = createHash('sha512').update(`table ${i}`).digest('hex');
    writeFileSync(join(tables, `${String(i).padStart(6, '0')}.ldb`), `${content}\n`.repeat(8));
  }
  writeFileSync(schema, '{"schema":1,"migratedBy":"genesis"}\n');
  writeFileSync(lock, '');
  writeFileSync(blocks, '');
  writeFileSync(height, `${JSON.stringify({ height: String(FIRST_HEIGHT) })}\n`);
  writeFileSync(state, signerState(FIRST_HEIGHT, 'GENESIS'), { mode: 0o600 });
}
