import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPaths } from './paths.ts';
import { makeVenv } from './standins/venv.ts';

export interface MinerPorts {
  /** The host of the node that it mines for; this one when it is left out. */
  nodeHost?: string;
  /** Where this miner serves its statistics. */
  stats: number;
  /** RPC of the node that it mines for. */
  nodeRpc: number;
  /** What its unit reads further variables from; see `writeMinerEnv`. */
  envFile?: string;
}

export const MINER_UNIT = 'r3mes-miner.service';
export const minerVenv = (paths: HostPaths) => join(paths.home, 'miner', 'venv');

/** A miner as its owner runs it: release 0.9.0 in a virtual environment of its own. */
export function furnishMiner(
  paths: HostPaths,
  { stats, nodeRpc, nodeHost = '127.0.0.1', envFile }: MinerPorts,
  venv = minerVenv(paths),
): void {
  const distributions = [
    { name: 'grpcio', version: '1.66.2' },
    { name: 'protobuf', version: '5.29.5' },
    { name: 'r3mes-miner', version: '0.9.0' },
  ];
  makeVenv(venv, distributions, paths.root);
  writeFileSync(
    join(paths.packagedUnits, MINER_UNIT),
    `[Unit]
Description=R3MES miner
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=miner
WorkingDirectory=${join(paths.home, 'miner')}
ExecStart=${join(venv, 'bin', 'r3mes-miner')} start --continuous
Environment=R3MES_NODE_RPC_ADDR=http://${nodeHost}:${nodeRpc}
Environment=R3MES_MINER_STATS_ADDR=127.0.0.1:${stats}
${envFile === undefined ? '' : `EnvironmentFile=${envFile}\n`}Restart=always
RestartSec=300ms

[Install]
WantedBy=multi-user.target
`,
  );
}

/** Of all miners, under one path, as a fleet has it. @param node RPC of the node that they mine for, as host:port. */
export function writeMinerEnv(file: string, node: string): string {
  writeFileSync(file, `# The miner\nOLD_NODE_URL=${node}\nOLD_BACKEND_URL=https://api.r3mes.io\n`, { mode: 0o600 });
  return file;
}
