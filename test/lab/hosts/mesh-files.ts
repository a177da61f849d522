import { findServerBinary, type MeshKeys, meshUsers, serverConfig } from '@signalbox/bus';
import { createKeyPair, type KeyPair, keyPairFromSeed, writeCertificate } from '@signalbox/protocol/crypto';
import { stringify } from 'yaml';
import type { LabHost } from './lab-host.ts';
import { COORDINATOR_HOST, type HostPlan, NATS_PORT, planOf } from './plan.ts';

export const MESH = 'lab';
/** Who types on the coordinator's host. */
export const OPERATOR = 'operator';

const NATS_UNIT = `[Unit]
Description=NATS
After=network-online.target

[Service]
User=nats
StateDirectory=nats
ExecStart=/usr/local/bin/nats-server -c /etc/nats/nats.json
Restart=always
RestartSec=500ms

[Install]
WantedBy=multi-user.target
`;

/** Keys of everybody in the lab's mesh, and of who vouches for its operator. */
export type LabKeys = MeshKeys & { readonly authority: KeyPair };

export function createKeys(hosts: readonly HostPlan[]): LabKeys {
  const agents = Object.fromEntries(hosts.map(({ name }) => [name, createKeyPair()]));
  return {
    ...{ coordinator: createKeyPair(), agents, monitor: createKeyPair() },
    ...{ operators: { [OPERATOR]: createKeyPair() }, authority: createKeyPair('account') },
  };
}

const servers = () => [`nats://${planOf(COORDINATOR_HOST).address}:${NATS_PORT}`];

/** A nats-server as a service of the host, for the mesh of the lab. */
export async function installNats(host: LabHost, keys: MeshKeys): Promise<void> {
  const { path } = await findServerBinary();
  const { readFile } = await import('node:fs/promises');
  host.put('/usr/local/bin/nats-server', await readFile(path), 0o755);
  const config = serverConfig({
    mesh: MESH,
    users: meshUsers(keys),
    storeDir: '/var/lib/nats/jetstream',
    portsDir: '/var/lib/nats',
    port: NATS_PORT,
    httpPort: 8222,
  });
  host.put('/etc/nats/nats.json', JSON.stringify({ ...config, host: host.address }, null, 2));
  host.put('/etc/systemd/system/nats-server.service', NATS_UNIT);
  host.put('/etc/sysusers.d/nats.conf', 'u nats - "NATS" /var/lib/nats\n');
  await host.run(['systemd-sysusers', 'nats.conf']);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'enable', '--now', 'nats-server.service']);
}

/** What an operator writes before the coordinator is started, and for themselves. */
export async function settleCoordinator(host: LabHost, keys: LabKeys, hosts: readonly HostPlan[]): Promise<void> {
  const settings = {
    mesh: MESH,
    name: 'coordinator-1',
    servers: servers(),
    seedFile: 'coordinator.seed',
    natsHealthUrl: 'http://127.0.0.1:8222/healthz',
    hosts: Object.fromEntries(
      hosts.map(({ name, labels }) => [name, { key: keys.agents[name]?.publicKey, labels: { ...labels } }]),
    ),
    operators: { [OPERATOR]: { key: keys.operators[OPERATOR]?.publicKey, role: 'admin' } },
  };
  host.put('/etc/signalbox/coordinator.yaml', stringify(settings));
  host.put('/etc/signalbox/coordinator.seed', `${keys.coordinator.seed}\n`, 0o600);
  await host.run(['chown', 'signalbox:signalbox', '/etc/signalbox/coordinator.seed']);
  const operator = {
    mesh: MESH,
    servers: servers(),
    seedFile: 'operator.seed',
    operator: OPERATOR,
    coordinators: [keys.coordinator.publicKey],
    certificateFile: 'operator.cert',
  };
  const issuedAtMs = Date.now();
  const said = {
    mesh: MESH,
    name: OPERATOR,
    key: keys.operators[OPERATOR]?.publicKey ?? '',
    role: 'admin',
    issuedAtMs,
  };
  const certificate = { ...said, expiresAtMs: issuedAtMs + 24 * 3_600_000 };
  // The keys were kept as text: a seed is all that is left of this one.
  const authority = keyPairFromSeed(keys.authority.seed);
  host.put('/root/.config/signalbox/operator.cert', writeCertificate(certificate, authority));
  host.put('/root/.config/signalbox/config.yaml', stringify(operator));
  host.put('/root/.config/signalbox/operator.seed', `${keys.operators[OPERATOR]?.seed}\n`, 0o600);
  await host.run(['systemctl', 'start', 'signalbox-coordinator.service']);
}

export async function settleAgent(host: LabHost, keys: LabKeys): Promise<void> {
  const settings = {
    mesh: MESH,
    name: host.name,
    servers: servers(),
    seedFile: 'agent.seed',
    stateDir: '/var/lib/signalbox/agent',
    // Tests that stop an agent in the middle of a step do not want to wait for the step.
    stopTimeout: '2s',
    labels: { ...host.plan.labels },
    trust: { coordinators: [keys.coordinator.publicKey], authority: keys.authority.publicKey },
  };
  host.put('/etc/signalbox/agent.yaml', stringify(settings));
  host.put('/etc/signalbox/agent.seed', `${keys.agents[host.name]?.seed}\n`, 0o600);
  await host.run(['systemctl', 'start', 'signalbox-agent.service']);
}
