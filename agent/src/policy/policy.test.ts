import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actionByName } from '@signalbox/actions';
import { probeByName } from '@signalbox/probes';
import type { JsonObject } from '@signalbox/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPolicy, EVERYTHING, type Policy, PolicyFile, type Use } from './policy.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-policy-'));
  for (const folder of ['data/deep', 'etc/signalbox', 'secret']) mkdirSync(join(dir, folder), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

function policy(allow: Partial<PolicyFile['allow']>): Policy {
  return createPolicy(PolicyFile.parse({ allow }), {
    sha256: 'x',
    own: [join(dir, 'etc/signalbox')],
    uidOf: (user) => (user === 'miner' ? 1001 : undefined),
    actionByName: (name) => actionByName.get(name),
  });
}

function act(name: string, input: JsonObject, receipt?: JsonObject): Use {
  const action = actionByName.get(name);
  if (action === undefined) throw new Error(`no ${name}`);
  return { kind: 'action', action, input: action.schema.parse(input), receipt };
}

function look(name: string, input: JsonObject): Use {
  return { kind: 'probe', name, input: probeByName.get(name)?.schema.parse(input) ?? {} };
}

const said = (refusal: { code: string } | undefined) => refusal?.code ?? 'allowed';

describe('a policy', () => {
  it('refuses what it does not name, and a list that is left out allows nothing', () => {
    const nothing = policy({});
    expect(said(nothing.refusal(act('systemd.stop', { unit: 'a.service' })))).toBe('SB-POLICY-ACTION');
    expect(said(nothing.refusal(look('systemd.unit', { unit: 'a.service' })))).toBe('SB-POLICY-PROBE');
    expect(said(policy({ actions: ['*'] }).refusal(act('systemd.stop', { unit: 'a.service' })))).toBe('SB-POLICY-UNIT');
    expect([
      nothing.offers('action', 'exec.run'),
      policy({ actions: ['exec.*'] }).offers('action', 'exec.run'),
    ]).toEqual([false, true]);
    expect(said(EVERYTHING.refusal(act('systemd.stop', { unit: 'a.service' })))).toBe('allowed');
  });

  it.each([
    ['r3mes-miner.service', 'allowed'],
    ['r3mes-miner-2.service', 'allowed'],
    ['sshd.service', 'SB-POLICY-UNIT'],
    ['xr3mes-miner.service', 'SB-POLICY-UNIT'],
    ['signalbox-agent.service', 'SB-POLICY-UNIT'],
  ])('allows units by pattern, and never its own: %s is %s', (unit, expected) => {
    const allowed = policy({ actions: ['systemd.*'], probes: ['*'], units: ['r3mes-*', 'signalbox-*'] });
    expect(said(allowed.refusal(act('systemd.stop', { unit })))).toBe(expected);
    expect(said(allowed.refusal(look('systemd.unit', { unit })))).toBe(expected);
  });

  it('judges units that nobody wrote: the default of an action', () => {
    const use = act('remesd.backup', { home: '/var/lib/remesd' });
    expect(said(policy({ actions: ['*'], paths: ['/**'], units: ['other.service'] }).refusal(use))).toBe(
      'SB-POLICY-UNIT',
    );
    expect(said(policy({ actions: ['*'], paths: ['/**'], units: ['remesd.service'] }).refusal(use))).toBe('allowed');
  });

  it('allows secrets by reference: by name, by folder with its links, and its own key never', () => {
    const told = ($secret: string, ...secrets: string[]) => {
      const asked = act('http.request', {
        url: 'http://127.0.0.1/',
        effect: 'read',
        method: 'GET',
        authorization: { $secret },
      });
      return said(policy({ actions: ['http.*'], secrets }).refusal(asked));
    };
    expect(told('env:API_TOKEN')).toBe('SB-POLICY-SECRET');
    expect(told('env:API_TOKEN', 'env:API_*')).toBe('allowed');
    expect(told('env:AWS_SECRET_ACCESS_KEY', 'env:API_*', 'file:/**')).toBe('SB-POLICY-SECRET');
    expect(told('aws:prod/db#uri', 'aws:prod/*')).toBe('allowed');
    expect(told('aws:other/db', 'aws:prod/*')).toBe('SB-POLICY-SECRET');
    const sealed = `sealed:node-1:X${'A'.repeat(55)}:eGt2`;
    expect([told(sealed), told(sealed, 'sealed:*')]).toEqual(['SB-POLICY-SECRET', 'allowed']);
    const folder = `file:${join(dir, 'data')}`;
    expect([told(`${folder}/token`, `${folder}/*`), told(`${folder}/deep/token`, `${folder}/*`)]).toEqual([
      'allowed',
      'SB-POLICY-SECRET',
    ]);
    symlinkSync(join(dir, 'secret'), join(dir, 'data', 'link'));
    expect(told(`${folder}/link/token`, `${folder}/**`)).toBe('SB-POLICY-SECRET');
    expect(told(`file:${join(dir, 'etc/signalbox/agent.seed')}`, 'file:/**')).toBe('SB-POLICY-SECRET');
    expect(() => policy({ secrets: ['file:/data/../etc/*'] })).toThrow('env:, file:/, aws: or sealed:');
  });

  it('allows a path that is a secret as a secret, and nothing else with it', () => {
    const told = (allow: Partial<PolicyFile['allow']>) => {
      const input = { file: join(dir, 'data/env'), secrets: { A: { $secret: `file:${join(dir, 'secret/a')}` } } };
      return said(
        policy({ actions: ['env.*'], paths: [join(dir, 'data/*')], ...allow }).refusal(act('env.change', input)),
      );
    };
    expect(told({})).toBe('SB-POLICY-SECRET');
    expect(told({ paths: [join(dir, '**')] })).toBe('SB-POLICY-SECRET');
    expect(told({ secrets: [`file:${join(dir, 'secret/*')}`] })).toBe('allowed');
  });

  it('allows paths by folder, by pattern within one folder, and not beside it', () => {
    const told = (path: string, pattern: string) =>
      said(policy({ actions: ['file.*'], paths: [pattern] }).refusal(act('file.backup', { path: join(dir, path) })));
    expect(told('data/a', join(dir, 'data/**'))).toBe('allowed');
    expect(told('data/deep/new/a', join(dir, 'data/**'))).toBe('allowed');
    expect(told('data/a', join(dir, 'data/*'))).toBe('allowed');
    expect(told('data/deep/a', join(dir, 'data/*'))).toBe('SB-POLICY-PATH');
    expect(told('database/a', join(dir, 'data/**'))).toBe('SB-POLICY-PATH');
  });

  it('follows symbolic links before it believes a path, also where the file does not exist yet', () => {
    symlinkSync(join(dir, 'secret'), join(dir, 'data/way-out'));
    symlinkSync(join(dir, 'data/loop'), join(dir, 'data/loop'));
    const allowed = policy({ actions: ['file.*'], paths: [join(dir, 'data/**')] });
    const refusal = allowed.refusal(act('file.backup', { path: join(dir, 'data/way-out/shadow') }));
    expect(refusal).toMatchObject({ code: 'SB-POLICY-PATH', message: expect.stringContaining('secret/shadow') });
    expect(said(allowed.refusal(act('file.backup', { path: join(dir, 'data/loop/x') })))).toBe('SB-POLICY-PATH');
  });

  it('takes no `..` for a way out, not even from a probe that would', () => {
    const allowed = policy({ probes: ['*'], paths: [join(dir, 'data/**')] });
    expect(said(allowed.refusal(look('env.file', { file: `${dir}/data/../secret/x` })))).toBe('SB-POLICY-PATH');
    expect(PolicyFile.safeParse({ allow: { paths: ['/data/../**'] } }).success).toBe(false);
  });

  it('keeps what the agent itself lives on from every step, whatever it allows', () => {
    const allowed = policy({ actions: ['*'], paths: ['/**'] });
    const install = (target: string) =>
      act('file.install', { source: join(dir, 'data/a'), target, sha256: 'a'.repeat(64) });
    expect(said(allowed.refusal(install(join(dir, 'etc/signalbox/policy.yaml'))))).toBe('SB-POLICY-PATH');
    expect(said(allowed.refusal(install(join(dir, 'etc/other'))))).toBe('allowed');
  });

  it.each([
    [['uptime'], 'allowed'],
    [['uptime', '-p'], 'SB-POLICY-COMMAND'],
    [['/usr/bin/uptime'], 'SB-POLICY-COMMAND'],
    [['journalctl', '-u', 'a.service'], 'allowed'],
    [['journalctl'], 'allowed'],
    [['systemctl', 'status', 'a.service'], 'allowed'],
    [['systemctl', 'stop', 'a.service'], 'SB-POLICY-COMMAND'],
    [['systemctl', 'status', 'a.service', 'b.service'], 'SB-POLICY-COMMAND'],
  ])('allows programs by their arguments: %j is %s', (argv, expected) => {
    const commands = [['uptime'], ['journalctl', '**'], ['systemctl', 'status', '*']];
    const allowed = policy({ actions: ['exec.run'], commands });
    expect(said(allowed.refusal(act('exec.run', { argv, effect: 'read' })))).toBe(expected);
    const hidden = { argv: ['uptime'], effect: 'reversible', undo: { argv } };
    expect(said(allowed.refusal(act('exec.run', hidden)))).toBe(expected);
    expect(said(allowed.refusal(act('exec.run', { argv: ['uptime'], effect: 'read', probe: { argv } })))).toBe(
      expected,
    );
  });

  it('judges the undo of an earlier run as what it takes back, with the paths that its receipt names', () => {
    const undo = (receipt: JsonObject, inner = 'systemd.stop', input: JsonObject = { unit: 'a.service' }) =>
      act('earlier.undo', { action: inner, version: 1, with: input, receipt });
    const allowed = policy({ actions: ['earlier.undo', 'systemd.stop'], units: ['a.service'] });
    expect(said(allowed.refusal(undo({ activeState: 'active' })))).toBe('allowed');
    expect(said(allowed.refusal(undo({ activeState: 'active' }, 'exec.run', { argv: ['x'], effect: 'read' })))).toBe(
      'SB-POLICY-ACTION',
    );
    expect(said(allowed.refusal(undo({}, 'systemd.stop', { unit: 'sshd.service' })))).toBe('SB-POLICY-UNIT');
    expect(said(allowed.refusal(undo({ kept: '/etc/shadow' })))).toBe('SB-POLICY-PATH');
    expect(said(allowed.refusal(undo({}, 'no.such')))).toBe('SB-POLICY-ACTION');
  });

  it('starts programs as no other user than those that it names', () => {
    const argv = (uid: number) => ['setpriv', `--reuid=${uid}`, '--regid=1', '--clear-groups', '--', 'git', 'status'];
    const allowed = policy({ users: ['miner', 2000, 'nobody-here'] });
    expect(said(allowed.processRefusal(argv(1001)))).toBe('allowed');
    expect(said(allowed.processRefusal(argv(2000)))).toBe('allowed');
    expect(said(allowed.processRefusal(argv(1002)))).toBe('SB-POLICY-USER');
    expect(said(allowed.processRefusal(['systemctl', 'stop', '--', 'a.service']))).toBe('allowed');
  });
});
