import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { actionByName } from './catalogue.ts';

const accepts = (action: string, input: JsonObject) => actionByName.get(action)?.schema.safeParse(input).success;

const FROM_SECRET = {
  cluster: { namespace: 'n', kubeconfig: { $secret: 'file:/k' } },
  deployment: 'd',
  secret: 's',
  key: 'k',
};

/** Runbooks, parameters and receipts are text from afar: none of it may become an option, another path or another program. */
describe('what a runbook says', () => {
  it.each(['--now', '-H.service', '--root=/x.service', 'a.service --now', '../a.service', 'a\n.service'])(
    'is no option of systemctl: a unit named %j',
    (unit) => {
      for (const action of ['systemd.stop', 'systemd.start', 'systemd.restart']) {
        expect(accepts(action, { unit }), action).toBe(false);
      }
    },
  );

  it.each(['-rf', 'relative', '/a/../b', '/..', '/../etc/x', '/a\n/../b', '/a/./b', '/a\0b'])(
    'is no option or way out: a path %j',
    (path) => {
      expect(accepts('file.backup', { path })).toBe(false);
      expect(accepts('file.install', { source: '/a', target: path, sha256: 'a'.repeat(64) })).toBe(false);
    },
  );

  it.each(['--upload-pack=touch /tmp/x', '-v', 'a b', 'v1;id'])('is no option of git: a revision %j', (revision) => {
    expect(accepts('git.checkout', { folder: '/code', revision })).toBe(false);
    expect(accepts('git.checkout', { folder: '/code', revision: 'v1', remote: revision })).toBe(false);
  });

  it.each(['--index-url=http://x', '-r/etc/passwd', 'a', 'a==1 --pre', 'git+https://x'])(
    'is no option of pip: a requirement %j',
    (requirement) => {
      expect(accepts('pip.install', { venv: '/venv', requirement })).toBe(false);
    },
  );

  const WORDS = ['--help', '-v', 'a b', 'a;id', '$(id)', 'a\nb', '../a', ''];
  const CLUSTER = { namespace: 'n' };
  const CONNECTION = { uri: { $secret: 'file:/u' } };
  it.each<[what: string, good: string, action: string, (word: string) => JsonObject]>([
    ['docker: a service', 'api', 'docker.stop', (service) => ({ file: '/c.yml', service })],
    ['docker: a project', 'r3mes', 'docker.stop', (project) => ({ file: '/c.yml', service: 's', project })],
    ['docker: a service to bring up', 'api', 'docker.up', (service) => ({ file: '/c.yml', service })],
    [
      'kubectl: a deployment',
      'rtu',
      'kubernetes.scale',
      (deployment) => ({ cluster: CLUSTER, deployment, replicas: 0 }),
    ],
    [
      'kubectl: a namespace',
      'fast-data',
      'kubernetes.scale',
      (namespace) => ({ cluster: { namespace }, deployment: 'd', replicas: 0 }),
    ],
    ['go: a package', './cmd/remesd', 'go.build', (name) => ({ folder: '/p', package: name, output: '/o' })],
    ['npm: a script', 'build:prod', 'npm.build', (script) => ({ folder: '/p', script })],
    ['nginx: an upstream', 'backend', 'nginx.upstream', (name) => ({ file: '/u.conf', name, servers: ['a:1'] })],
    [
      'nginx: an address',
      '10.0.0.1:80',
      'nginx.upstream',
      (address) => ({ file: '/u.conf', name: 'u', servers: [address] }),
    ],
    [
      'alembic: a revision',
      '003',
      'alembic.upgrade',
      (revision) => ({ connection: CONNECTION, folder: '/f', program: '/p', revision }),
    ],
  ])('is no option of %s', (_, good, action, input) => {
    // Refused is the word and not something else of it.
    expect(accepts(action, input(good))).toBe(true);
    for (const word of WORDS) expect(accepts(action, input(word)), word).toBe(false);
  });

  it.each([
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'GIT_SSH_COMMAND',
    'GIT_DIR',
    'PIP_INDEX_URL',
    'PYTHONPATH',
    'PATH',
    'HOME',
    'NODE_OPTIONS',
    'npm_config_script_shell',
  ])('does not choose which code is loaded: %s', (name) => {
    expect(accepts('exec.run', { argv: ['x'], effect: 'read', env: { [name]: 'x' } })).toBe(false);
    expect(accepts('systemd.dropIn', { unit: 'a.service', environment: { [name]: 'x' } })).toBe(false);
    expect(accepts('env.change', { file: '/e', set: [{ name, value: 'x' }] })).toBe(false);
    expect(accepts('npm.build', { folder: '/p', environment: { [name]: 'x' } })).toBe(false);
    expect(accepts('kubernetes.setEnvFromSecret', { ...FROM_SECRET, env: name })).toBe(false);
    expect(accepts('env.change', { file: '/e', rename: [{ from: 'A', to: name }] })).toBe(false);
    expect(accepts('env.change', { file: '/e', secrets: { [name]: { $secret: 'env:A' } } })).toBe(false);
  });

  it.each(['DATABASE_URL', 'NODE_ENV', 'PYTHONUNBUFFERED', 'PATHS', 'R3MES_PATH', 'LDAP_URI'])(
    'may name an ordinary variable: %s',
    (name) => {
      expect(accepts('exec.run', { argv: ['x'], effect: 'read', env: { [name]: 'x' } })).toBe(true);
      expect(accepts('npm.build', { folder: '/p', environment: { [name]: 'x' } })).toBe(true);
      expect(accepts('kubernetes.setEnvFromSecret', { ...FROM_SECRET, env: name })).toBe(true);
    },
  );

  it.each([{ commit: '--orphan', branch: 'main' }, { commit: 'a'.repeat(40), branch: '--orphan' }, { commit: 'HEAD' }])(
    'is no option of git in a receipt either: %j',
    async (receipt) => {
      const host = await LocalHost.create();
      const undo = () => actionByName.get('git.checkout')?.undo?.(host, { folder: host.dir, revision: 'v1' }, receipt);
      const code = await codeOf(undo() ?? Promise.resolve()).finally(() => host[Symbol.asyncDispose]());
      expect(code).toBe('SB-ACT-NO-RECEIPT');
    },
  );
});
