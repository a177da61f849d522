import { stringify } from 'yaml';
import type { z } from 'zod';
import type { PolicyFile } from './policy.ts';

type Allowed = z.input<typeof PolicyFile>['allow'];

/** What any role may: look, and use what was sealed to this host. `exec.run` is allowed to none. */
const LOOK: Allowed = {
  actions: [],
  probes: ['*'],
  units: [],
  paths: ['/etc/ssl/certs/*'],
  secrets: ['sealed:*'],
};

const NODE: Allowed = {
  actions: ['earlier.undo', 'file.*', 'git.checkout', 'go.build', 'http.request', 'remesd.*', 'systemd.*'],
  units: ['remesd.service', 'cosmovisor.service'],
  paths: [
    '/home/remes/**',
    '/usr/local/bin/*',
    '/var/backups/r3mes/**',
    '/srv/releases/**',
    '/etc/systemd/system',
    '/etc/systemd/system/remesd.service.d/**',
    '/root/priv_validator_key.json',
  ],
  users: ['remes'],
};

const WEB: Allowed = {
  actions: ['earlier.undo', 'file.*', 'git.checkout', 'http.request', 'nginx.upstream', 'npm.build', 'systemd.*'],
  units: ['r3mes-*.service', 'nginx.service'],
  paths: ['/opt/r3mes/**', '/etc/nginx/**', '/var/log/nginx/*', '/var/www/**', '/srv/releases/**'],
  users: ['r3mes', 'www-data'],
};

/** By the label `role` that the runbooks of this repository match hosts by. */
const ROLES: Readonly<Record<string, Allowed>> = {
  node: NODE,
  spare: NODE,
  miner: {
    actions: ['earlier.undo', 'env.change', 'file.*', 'http.request', 'pip.install', 'systemd.*'],
    units: ['r3mes-miner*.service'],
    paths: [
      '/etc/r3mes/**',
      '/opt/r3mes/**',
      '/home/miner/**',
      '/srv/releases/**',
      '/etc/systemd/system',
      '/etc/systemd/system/r3mes-*',
    ],
    secrets: ['file:/etc/r3mes/secrets/*'],
    users: ['miner', 'r3mes'],
  },
  backend: {
    actions: [
      ...['alembic.upgrade', 'docker.*', 'earlier.undo', 'env.change', 'file.*', 'git.checkout', 'http.request'],
      ...['nginx.upstream', 'pip.install', 'postgres.*', 'secrets.*', 'systemd.*'],
    ],
    units: ['r3mes-*.service', 'nginx.service', 'postgresql*.service'],
    paths: [
      ...['/etc/r3mes/**', '/opt/r3mes/**', '/var/backups/r3mes/**', '/srv/releases/**', '/root/r3mes-production.env'],
      ...['/etc/nginx/**', '/var/log/nginx/*', '/etc/systemd/system', '/etc/systemd/system/r3mes-*'],
    ],
    secrets: ['env:R3MES_*', 'env:DATABASE_URL', 'file:/etc/r3mes/secrets/*', 'aws:r3mes/*'],
    users: ['r3mes', 'postgres'],
  },
  web: WEB,
  'old-edge': WEB,
  'new-edge': WEB,
  mirror: {
    actions: ['earlier.undo', 'http.request', 'mongodb.*', 'mongomirror.*', 'mongosync.*', 'systemd.*'],
    units: ['mongomirror*.service', 'mongosync*.service'],
    paths: ['/etc/mongomirror/**', '/etc/mongosync/**', '/var/lib/mongomirror/**'],
    secrets: ['file:/etc/mongomirror/secrets/*', 'file:/etc/mongosync/secrets/*', 'env:MONGO*', 'aws:fast-data/*'],
  },
  kube: {
    actions: ['alertmanager.silence', 'earlier.undo', 'http.request', 'kubernetes.*'],
    paths: ['/etc/kubernetes/*'],
    secrets: ['file:/etc/kubernetes/secrets/*', 'env:KUBE*', 'env:ALERTMANAGER_*', 'aws:fast-data/*'],
  },
  'kafka-ops': {
    actions: ['connect.*', 'earlier.undo', 'http.request', 'kafka.*'],
    paths: ['/etc/kafka/**'],
    secrets: ['file:/etc/kafka/secrets/*', 'env:KAFKA_*', 'env:CONNECT_*', 'aws:fast-data/*'],
  },
};

function allowedFor(role: string | undefined): Allowed {
  const own = role !== undefined && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  return {
    ...LOOK,
    ...own,
    paths: [...(LOOK.paths ?? []), ...(own?.paths ?? [])],
    secrets: [...(LOOK.secrets ?? []), ...(own?.secrets ?? [])],
  };
}

/** The text of policy.yaml for a host that joins. */
export function policyForRole(role: string | undefined): string {
  const known = role !== undefined && Object.hasOwn(ROLES, role);
  const head = known
    ? `# What a host of role ${role} needs, with the paths and units that the runbooks name by default.`
    : '# Looking only: this host has no role that a policy is known for. Add what it is for.';
  return [
    head,
    "# The host's owner has the last word: change it as this host is, and restart the agent. exec.run is off; commands that are to be",
    '# allowed stand under `commands`, word by word, beside `exec.run` under `actions`.',
    stringify({ allow: allowedFor(role) }),
  ].join('\n');
}
