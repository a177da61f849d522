// Runs on a host of the lab, as root: makes it what its role says. The same stand-ins as in a sandbox, where the host's own
// `/` is the sandbox's folder; units, users and rights are real here.
//
//   node furnish.js ROLE NAME [NODE-ADDRESS]
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { furnishMiner, MINER_UNIT, writeMinerEnv } from '../furnish-miner.ts';
import { furnishNode, NODE_UNIT, nodeHome, VALIDATOR } from '../furnish-node.ts';
import { hostPaths } from '../paths.ts';
import { keyText } from '../standins/remesd/key.ts';
import { MINER_VENV } from './plan.ts';

/** The spare's own key: that of a node which is no validator. */
const SPARE = 'A0B1C2D3E4F5061728394A5B6C7D8E9F00112233';
const RPC_PORT = 26_657;
const P2P_PORT = 26_656;
const STATS_PORT = 8_080;

const [role = '', name = '', nodeHost = ''] = process.argv.slice(2);
const paths = hostPaths('/');
const run = (file: string, ...args: string[]) =>
  void execFileSync(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });

/** Also what an earlier life of the host left: a mask, a drop-in, backups. */
function clear(unit: string, user: string): void {
  if (!existsSync(join(paths.packagedUnits, unit))) return;
  run('systemctl', 'disable', '--now', unit);
  for (const folder of paths.unitFolders) {
    for (const left of [unit, `${unit}.d`]) rmSync(join(folder, left), { recursive: true, force: true });
  }
  run('userdel', '--remove', user);
}

// Everybody may leave a mark: programs of all users do.
writeFileSync(paths.labMarks, '');
chmodSync(paths.labMarks, 0o666);

function addUser(user: string): string {
  run('useradd', '--create-home', '--shell', '/usr/sbin/nologin', user);
  return `/home/${user}`;
}

if (role === 'node' || role === 'spare') {
  clear(NODE_UNIT, 'remes');
  const home = addUser('remes');
  mkdirSync(paths.packagedUnits, { recursive: true });
  const ports = { rpc: RPC_PORT, p2p: P2P_PORT, host: '0.0.0.0' };
  furnishNode(paths, { name, ports, ...(role === 'spare' ? { address: SPARE } : {}) });
  // What its owner has brought to the spare, to be used when the validator moves.
  if (role === 'spare') writeFileSync('/root/priv_validator_key.json', keyText(VALIDATOR), { mode: 0o600 });
  for (const file of [paths.labNetwork, paths.labSignatures]) chmodSync(file, 0o666);
  run('chown', '--recursive', 'remes:remes', home, nodeHome(paths));
} else if (role === 'miner') {
  clear(MINER_UNIT, 'miner');
  const home = addUser('miner');
  mkdirSync('/etc/r3mes', { recursive: true });
  const envFile = writeMinerEnv('/etc/r3mes/miner.env', `${nodeHost}:${RPC_PORT}`);
  furnishMiner(paths, { stats: STATS_PORT, nodeRpc: RPC_PORT, nodeHost, envFile }, MINER_VENV);
  run('chown', '--recursive', 'miner:miner', home);
}

run('systemctl', 'daemon-reload');
// A spare has everything, and runs nothing: two validators with one key are the end of both.
if (role === 'node') run('systemctl', 'enable', '--now', NODE_UNIT);
if (role === 'miner') run('systemctl', 'enable', '--now', MINER_UNIT);
