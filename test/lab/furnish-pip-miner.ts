import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPython, makeVenv, makeWheel } from '@signalbox/actions/testing';
import { MINER_UNIT } from './furnish-miner.ts';
import { createSandbox, type ServiceSandbox } from './sandbox.ts';

export interface PipMinerOptions {
  dir: string;
  name: string;
  /** Where it serves its statistics. */
  stats: number;
  /** What its unit reads its variables from; see `writeMinerEnv`. */
  envFile: string;
}

export interface PipMiner {
  sandbox: ServiceSandbox;
  venv: string;
}

/** Whether hosts with a real Python, pip and virtual environment can be made here. */
export const python = await findPython();

/**
 * The miner as a package. Release 0.9.0 reads the old names of its variables, later ones the new names only; without any it
 * mines for the node that its unit names. 1.0.1 prints an error a second after it has begun, and mines on.
 */
const program = (version: string) => `import json, os, sys, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
VERSION = "${version}"
NODE = os.environ.get("${version === '0.9.0' ? 'OLD_NODE_URL' : 'R3MES_NODE_GRPC_URL'}")
NODE = NODE or os.environ.get("R3MES_NODE_RPC_ADDR", "").removeprefix("http://")
SHARES = [0]
class Stats(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"shares_submitted": SHARES[0], "version": VERSION}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
def mine():
    begun = time.monotonic()
    complained = VERSION != "1.0.1"
    while True:
        if not complained and time.monotonic() - begun > 1:
            complained = True
            print("ERROR gradient lost", file=sys.stderr, flush=True)
        try:
            status = json.load(urllib.request.urlopen("http://%s/status" % NODE, timeout=1))
            SHARES[0] += status["result"]["sync_info"]["catching_up"] is False
        except OSError:
            pass
        time.sleep(0.25)
def main():
    print("r3mes-miner", VERSION, "for", NODE, flush=True)
    threading.Thread(target=mine, daemon=True).start()
    host, port = os.environ["R3MES_MINER_STATS_ADDR"].split(":")
    HTTPServer((host, int(port)), Stats).serve_forever()
`;

const NAME = 'r3mes-miner';
const run = promisify(execFile);

/** A folder with the releases of the miner as wheels, and with what they need: what hosts install from. */
export async function minerWheels(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const version of ['0.9.0', '1.0.0', '1.0.1']) {
    const requires = [version === '0.9.0' ? 'grpc-stand-in<2' : 'grpc-stand-in>=2'];
    await makeWheel(python ?? '', folder, { name: NAME, version, requires, program: NAME, code: program(version) });
  }
  for (const version of ['1.66', '2.0']) await makeWheel(python ?? '', folder, { name: 'grpc-stand-in', version });
  return folder;
}

/** A miner's host with a real virtual environment; `installMiner` puts release 0.9.0 into it before the host is started. */
export function createPipMiner({ dir, name, stats, envFile }: PipMinerOptions): PipMiner {
  const venv = join(dir, name, 'home', 'miner', 'venv');
  const labels = { role: 'miner', venv };
  const sandbox = createSandbox({ dir, name, role: 'service', labels, unit: MINER_UNIT });
  const { paths } = sandbox;
  writeFileSync(
    join(paths.packagedUnits, MINER_UNIT),
    `[Unit]
Description=R3MES miner

[Service]
User=miner
EnvironmentFile=${envFile}
Environment=R3MES_MINER_STATS_ADDR=127.0.0.1:${stats}
ExecStart=${join(venv, 'bin', NAME)} start --continuous
Restart=always
RestartSec=300ms

[Install]
WantedBy=multi-user.target
`,
  );
  return { sandbox, venv };
}

export async function installMiner({ venv }: PipMiner, wheels: string): Promise<void> {
  await makeVenv(python ?? '', venv);
  writeFileSync(join(venv, 'pip.conf'), `[global]\nno-index = true\nfind-links = ${wheels}\n`);
  // Not this machine's settings: PIP_* of the environment would outrank the file.
  const env = { PATH: '/usr/bin:/bin' };
  await run(join(venv, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `${NAME}==0.9.0`], {
    env,
  });
}
