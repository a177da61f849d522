import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { hostState } from '@signalbox/protocol';
import { AGENT_PROGRAMS, PROGRAM } from '../../program-files.ts';
import { pairsOf } from '../arguments.ts';
import { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { type DevFolder, type DevNames, openFolder, writeSettings } from '../dev-files.ts';
import { type DevProcess, startProcess } from '../dev-process.ts';
import { isAway } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface DevOptions {
  readonly dir: string;
  readonly name: string;
  readonly label?: readonly string[];
}

const MESH = 'dev';
const OPERATOR = 'me';
const READY_MS = 20_000;

/** `signalbox dev`: a whole mesh on this machine, every part a real process; ends with this one. */
export async function dev(cli: Cli, options: DevOptions): Promise<ExitCode> {
  const names: DevNames = { mesh: MESH, host: options.name, operator: OPERATOR };
  const dir = resolve(cli.io.cwd, options.dir);
  const agent = agentProgram(cli.io.env);
  const { startMesh } = await import('@signalbox/bus');
  const folder = openFolder(dir, names);
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  const mesh = await startMesh({
    mesh: MESH,
    agents: [names.host],
    operators: [names.operator],
    keys: folder.keys,
    dir: folder.nats,
  });
  const processes: DevProcess[] = [];
  try {
    const labels = { role: 'dev', ...pairsOf(options.label, '--label') };
    const settings = writeSettings(folder, names, {
      url: mesh.url,
      healthUrl: mesh.server.healthUrl,
      labels,
      path: cli.io.env.PATH ?? '',
    });
    const log = (name: string) => join(dir, 'logs', `${name}.log`);
    processes.push(
      startProcess(
        'coordinator',
        [process.execPath, PROGRAM, 'coordinator', '--config', settings.coordinator],
        log('coordinator'),
      ),
      startProcess('agent', [...agent, '--config', settings.agent], log('agent')),
    );
    const died = Promise.race(processes.map(deathOf));
    const interrupted = new Promise<void>((done) =>
      stop.signal.addEventListener('abort', () => done(), { once: true }),
    );
    await Promise.race([ready(cli, settings.operator, names.host), died, interrupted]);
    if (stop.signal.aborted) return EXIT.done;
    tell(cli, folder, { ...names, url: mesh.url, config: settings.operator, processes });
    await Promise.race([died, interrupted]);
    return EXIT.done;
  } finally {
    release();
    if (!cli.json) cli.print('ending agent, coordinator and NATS');
    // In the reverse of their order: what an agent reports at its end still has somebody to hear it.
    for (const process of processes.reverse()) await process.stop();
    await mesh.stop();
  }
}

/** @throws SB-CLI-DEV as soon as the process has ended by itself. */
async function deathOf(process: DevProcess): Promise<never> {
  const why = await process.ended;
  throw cliError('SB-CLI-DEV', `${process.name} has ended: ${why}`, { next: `Read ${process.logFile}.` });
}

/** Resolves when the coordinator answers and the agent is online. @throws SB-CLI-DEV */
async function ready(cli: Cli, config: string, host: string): Promise<void> {
  const operator = new Cli(cli.io, { config });
  const until = performance.now() + READY_MS;
  try {
    const client = await operator.mesh();
    while (!(await isOnline(client, host))) {
      if (performance.now() > until) throw cliError('SB-CLI-DEV', `${host} was not online after ${READY_MS / 1_000} s`);
      await new Promise((done) => setTimeout(done, 100));
    }
  } finally {
    await operator.close();
  }
}

async function isOnline(client: MeshClient, host: string): Promise<boolean> {
  try {
    const { hosts, nowMs } = await client.ask('hosts', {}, 1_000);
    const seenAtMs = hosts.find(({ name }) => name === host)?.seenAtMs;
    return seenAtMs !== undefined && hostState(nowMs - seenAtMs) === 'online';
  } catch (error) {
    if (isAway(error)) return false;
    throw error;
  }
}

interface Told extends DevNames {
  readonly url: string;
  readonly config: string;
  readonly processes: readonly DevProcess[];
}

function tell(cli: Cli, { dir }: DevFolder, { mesh, host, url, config, processes }: Told): void {
  cli.show({ mesh, host, url, config, dir, processes: processes.map(({ name, pid }) => ({ name, pid })) }, () => [
    `mesh ${mesh} is up: NATS at ${url}, one coordinator, one agent (${host})`,
    '',
    'in another terminal:',
    `  export SIGNALBOX_CONFIG=${config}`,
    '  signalbox hosts',
    `  signalbox exec --hosts ${host} --effect read -- uptime`,
    `  signalbox probe host.facts --hosts ${host}`,
    '',
    `keys, settings, logs and the run log are in ${dir} and are used again next time`,
    'Ctrl-C ends all of it',
  ]);
}

/** Beside this package, as in a checkout or an installation of both; else on PATH. @throws SB-CLI-AGENT-MISSING */
function agentProgram(env: NodeJS.ProcessEnv): [string, ...string[]] {
  const beside = AGENT_PROGRAMS.find((path) => existsSync(path));
  if (beside !== undefined) return [process.execPath, beside];
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'signalbox-agent'))
    .find(isExecutable);
  if (onPath === undefined) throw cliError('SB-CLI-AGENT-MISSING', 'no signalbox-agent beside this program or on PATH');
  return [onPath];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
