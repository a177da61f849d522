// `r3mes-miner` on a host in the lab: takes work from the node and hands in shares, and says how many it has handed in.
//
//   R3MES_NODE_GRPC_URL      host and port of the node; here it serves both at one port
//   R3MES_NODE_RPC_ADDR      the node's RPC when that is not set; while it cannot be reached, or still catches up, no share is accepted
//   R3MES_MINER_STATS_ADDR   where `GET /stats` is served
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { leaveMark } from './mark.ts';
import { getStatus } from './node-status.ts';
import { versionIn } from './venv.ts';

const SHARE_EVERY_MS = 250;

export function main(root: string): void {
  const argv = process.argv.slice(2);
  const version = versionIn(dirname(dirname(process.argv[1] ?? '')), 'r3mes-miner');
  leaveMark(root, argv[0] === 'start');
  if (argv[0] === 'start') start(version);
  else if (argv[0] === '--version' || argv[0] === 'version') process.stdout.write(`r3mes-miner, version ${version}\n`);
  else {
    process.stderr.write('Usage: r3mes-miner [OPTIONS] COMMAND [ARGS]...\n');
    process.exitCode = 2;
  }
}

function start(version: string): void {
  const { R3MES_NODE_GRPC_URL: grpc, R3MES_NODE_RPC_ADDR: rpc = 'http://127.0.0.1:26657' } = process.env;
  const node = grpc ? `http://${grpc}` : rpc;
  const [host = '127.0.0.1', port = '8090'] = (process.env.R3MES_MINER_STATS_ADDR ?? '').split(':');
  const startedAtMs = Date.now();
  let shares = 0;

  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    const uptime = Math.floor((Date.now() - startedAtMs) / 1000);
    response.end(JSON.stringify({ shares_submitted: shares, version, uptime }));
  });
  server.listen(Number(port), host);

  const timer = setInterval(async () => {
    if (await accepts(node)) shares += 1;
  }, SHARE_EVERY_MS);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    process.exit(0);
  });
}

async function accepts(node: string): Promise<boolean> {
  try {
    const { result } = await getStatus(node, SHARE_EVERY_MS);
    return result.sync_info.catching_up === false;
  } catch {
    // The node is down or slow: shares stand still, which is what the miner's owner sees as well.
    return false;
  }
}
