import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fleetConfig } from '@signalbox/bus';
import { HostName, MeshName } from '@signalbox/protocol';
import { createKeyPair, type KeyPair, writeCertificate } from '@signalbox/protocol/crypto';
import { stringify } from 'yaml';
import { nameOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface InitOptions {
  readonly name: string;
  readonly dir?: string;
  readonly server?: readonly string[];
  readonly port: string;
  readonly operator?: string;
}

const YEAR_MS = 365 * 24 * 3_600_000;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * `signalbox init --name NAME`: keys, certificates and settings of a new mesh, in a folder. Nothing is started, and nothing
 * that is secret is printed: every file is for its owner alone.
 */
export async function init(cli: Cli, options: InitOptions): Promise<ExitCode> {
  const mesh = nameOf(MeshName, options.name, '--name');
  const operator = nameOf(HostName, options.operator ?? personHere(), '--operator');
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw cliError('SB-CLI-USAGE', '--port wants 1 to 65535');
  const names = options.server ?? [hostname().toLowerCase()];
  for (const name of names)
    if (!SERVER.test(name)) throw cliError('SB-CLI-USAGE', `--server ${name} is no name or address`);
  const dir = resolve(cli.io.cwd, options.dir ?? mesh);
  if (existsSync(dir)) throw cliError('SB-CLI-FILE', `${dir} is there already: the keys of a mesh are made once`);

  const { makeCertificates } = await import('../init/certificates.ts');
  const { ca, caKey, certificate, key } = await makeCertificates(mesh, [...new Set([...names, ...LOOPBACK])]);
  const keys = {
    coordinator: createKeyPair(),
    system: createKeyPair(),
    monitor: createKeyPair(),
    person: createKeyPair(),
    authority: createKeyPair('account'),
  };
  const write = writerInto(dir);
  const server = {
    ...{ mesh, port, systemKey: keys.system.publicKey },
    host: names.every((name) => LOOPBACK.includes(name)) ? '127.0.0.1' : '0.0.0.0',
    storeDir: join(dir, 'nats', 'store'),
    tls: { certFile: write('nats/server.crt', certificate), keyFile: write('nats/server.key', key) },
    users: usersOf({ ...keys, operator }),
  };
  const servers = names.map((name) => `tls://${name.includes(':') ? `[${name}]` : name}:${port}`);
  const natsConfig = write('nats/nats-server.json', `${JSON.stringify(fleetConfig(server), null, 2)}\n`);
  write('authority/ca.key', caKey);
  write('authority/ca.crt', ca);
  const nowMs = cli.io.nowMs();
  const authority = keys.authority.publicKey;
  const said = { mesh, name: operator, key: keys.person.publicKey, role: 'admin', issuedAtMs: nowMs };
  const vouched = writeCertificate({ ...said, expiresAtMs: nowMs + YEAR_MS }, keys.authority);
  const seed = (path: string, pair: KeyPair) => write(path, `${pair.seed}\n`);
  const seedFile = seed('coordinator/coordinator.seed', keys.coordinator);
  const systemSeedFile = seed('coordinator/system.seed', keys.system);
  seed('authority/operators.seed', keys.authority);
  seed('monitor/monitor.seed', keys.monitor);
  seed(`operator/${operator}.seed`, keys.person);
  write(`operator/${operator}.cert`, `${vouched}\n`);
  for (const part of ['coordinator', 'operator', 'monitor']) write(`${part}/ca.crt`, ca);
  const coordinator = write(
    'coordinator/coordinator.yaml',
    stringify({
      // Whole paths: the service reads these settings through /etc, and they stay on this machine.
      ...{ mesh, servers, caFile: join(dir, 'coordinator', 'ca.crt'), seedFile, hosts: {} },
      operators: { [operator]: { key: keys.person.publicKey, role: 'admin' } },
      enrolment: {
        ...{ register: join(dir, 'coordinator', 'register.json'), natsConfig, systemSeedFile },
        monitors: { monitor: keys.monitor.publicKey },
      },
    }),
  );
  const settings = write(
    'operator/signalbox.yaml',
    stringify({
      ...{ mesh, servers, caFile: 'ca.crt', seedFile: `${operator}.seed`, operator },
      ...{ coordinators: [keys.coordinator.publicKey], authority, certificateFile: `${operator}.cert` },
    }),
  );
  cli.show({ mesh, dir, servers, natsConfig, coordinator, settings, operator }, () => [
    `mesh ${mesh} is made in ${dir}; keys and settings are for you alone`,
    '',
    'start it (each as a service, on the machine that the server is reached at):',
    `  nats-server -c ${natsConfig}`,
    `  signalbox coordinator --config ${coordinator}`,
    'look at it, and let a host in:',
    `  export SIGNALBOX_CONFIG=${settings}`,
    '  signalbox hosts',
    '  signalbox enroll HOST --labels role=node --expires 1h',
    '',
    `hosts reach it at ${servers.join(', ')}`,
    `put ${join(dir, 'authority')} away, offline: it makes operators (\`signalbox certify\`); your own certificate ends in a`,
    "year, the server's in two",
  ]);
  return EXIT.done;
}

const SERVER = /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/;

function personHere(): string {
  const name = userInfo()
    .username.toLowerCase()
    .replace(/[^a-z0-9-]/g, '-');
  return HostName.safeParse(name).success ? name : 'admin';
}

/** Folders and files are made for their owner alone; what is there is never written over. @throws SB-CLI-FILE */
function writerInto(dir: string): (path: string, text: string) => string {
  return (path, text) => {
    const file = join(dir, path);
    try {
      mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      throw cliError('SB-CLI-FILE', `${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
    return file;
  };
}

function usersOf({
  coordinator,
  monitor,
  person,
  operator,
}: Record<'coordinator' | 'monitor' | 'person', KeyPair> & { operator: string }) {
  const user = (name: string, { publicKey }: KeyPair) => [{ name, publicKey }];
  return {
    core: user('coordinator', coordinator),
    agents: [],
    operators: user(operator, person),
    monitors: user('monitor', monitor),
  };
}
