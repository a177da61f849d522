import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readToken, writeToken } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { connect, ErrorCode } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Said, sayTo } from '../../lab/child.ts';
import { InitMesh } from '../../lab/init-mesh.ts';
import { hasEnded } from '../../lab/janitor.ts';
import { PROGRAMS } from '../../lab/programs.ts';

const world = new InitMesh();
const { root, dir: mesh, settings } = world;
const { signalbox, enroll, etc, joinAs, startAgent, heard, stateOf, logOf } = world;
let made: Said;

beforeAll(async () => {
  made = await world.start();
});
afterAll(() => world.end());

describe('a new mesh', () => {
  it('is made for its owner alone, tells no secret, and is never made twice', async () => {
    const written = filesBelow(mesh).filter((file) => !file.includes('/store/'));
    expect(written.length).toBeGreaterThan(12);
    expect(written.filter((file) => (statSync(file).mode & 0o777) !== 0o600)).toEqual([]);
    expect(statSync(mesh).mode & 0o777).toBe(0o700);
    const said = made.stdout + made.stderr;
    const secrets = written
      .filter((file) => /\.(seed|key)$/.test(file))
      .map((file) => readFileSync(file, 'utf8').trim());
    expect(secrets.length).toBe(7);
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
    const again = await sayTo([PROGRAMS.signalbox, 'init', '--name', 'prod', '--dir', mesh]);
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('SB-CLI-FILE')]);
  });

  it('speaks TLS only, and only to who has its authority', async () => {
    const plain = connect({ servers: `127.0.0.1:${world.port}`, reconnect: false, tls: null });
    await expect(plain).rejects.toThrow();
    const other = join(root, 'other');
    await sayTo([PROGRAMS.signalbox, 'init', '--name', 'prod', '--dir', other, '--server', '127.0.0.1']);
    const theirs = readFileSync(settings, 'utf8').replace('ca.crt', join(other, 'operator', 'ca.crt'));
    const file = join(mesh, 'operator', 'deceived.yaml');
    writeFileSync(file, theirs, { mode: 0o600 });
    const { exitCode, stderr } = await sayTo([PROGRAMS.signalbox, '--config', file, 'hosts']);
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('certificate')]);
    rmSync(file);
  });
});

describe('a token', () => {
  it('lets its host in once, with a key that the host made; what it joins works over TLS and over a restart', async () => {
    const token = await enroll('a-1');
    const joined = await joinAs('a-1', token);
    expect(joined).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('a-1 has joined mesh prod') });
    const seed = readFileSync(join(etc('a-1'), 'agent.seed'), 'utf8').trim();
    expect(filesBelow(mesh).filter((file) => readFileSync(file).includes(seed))).toEqual([]);
    await heard(startAgent('a-1'));
    expect(await stateOf('a-1')).toBe('online');
    const { stdout, exitCode } = await signalbox('exec', '--hosts', 'role=box', '--effect', 'read', '--', 'uptime');
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('load average')]);

    const twice = await joinAs('thief', token);
    expect([twice.exitCode, twice.stderr]).toEqual([4, expect.stringContaining('SB-BUS-AUTH')]);
    expect(readdirSync(etc('thief'))).toEqual([]);

    await world.restartCoordinator();
    await until('a-1 to be known again', async () => (await stateOf('a-1')) === 'online');

    const { stdout: kept } = await signalbox('--json', 'audit');
    expect(JSON.parse(kept).entries).toMatchObject([
      { verb: 'enroll', host: 'a-1', by: { role: 'admin' }, granted: true },
      { verb: 'join', host: 'a-1', by: { name: 'a-1', role: 'host' }, granted: true },
      { verb: 'start', run: 'exec-1', granted: true },
    ]);
  });

  it('is for its name, until it expires, and not for who is in already', async () => {
    const expired = await enroll('late-1', '--expires', '1s');
    const changed = (text: string, change: object) => {
      const token = readToken(text);
      if (token === undefined) throw new Error('no token');
      return writeToken({ ...token, ...change });
    };
    const other = await joinAs('other', changed(await enroll('b-1'), { host: 'b-2' }));
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('SB-ENROL-TOKEN')]);
    const forged = await joinAs(
      'forged',
      changed(expired, { seed: createKeyPair().seed, expiresAtMs: Date.now() + 3_600_000 }),
    );
    expect([forged.exitCode, forged.stderr]).toEqual([4, expect.stringContaining('SB-BUS-AUTH')]);
    const expiresAtMs = readToken(expired)?.expiresAtMs ?? 0;
    await until('the token to expire', () => Date.now() > expiresAtMs);
    const late = await joinAs('late-1', changed(expired, { expiresAtMs: Date.now() + 3_600_000 }));
    expect(late.exitCode).not.toBe(0);
    expect(late.stderr).toMatch(/SB-ENROL-TOKEN|SB-BUS-AUTH/);
    expect((await signalbox('enroll', 'a-1')).stderr).toContain('SB-ENROL-HOST');
    expect(await stateOf('b-1')).toBeUndefined();
  });

  it('opens nothing but the door: its key can ask to join, and nothing else', async () => {
    const token = readToken(await enroll('c-1'));
    if (token === undefined) throw new Error('no token');
    const { keyPairFromSeed } = await import('@signalbox/protocol/crypto');
    const key = keyPairFromSeed(token.seed);
    const nc = await connect({
      ...{ servers: token.servers, tls: { ca: token.ca ?? '' }, inboxPrefix: `_INBOX_${key.publicKey}` },
      authenticator: (nonce) => ({
        nkey: key.publicKey,
        sig: Buffer.from(key.sign(Buffer.from(nonce ?? ''))).toString('base64'),
      }),
    });
    try {
      const tried = [
        'sb.prod.req.hosts',
        '$JS.API.STREAM.NAMES',
        'sb.prod.health.a-1',
        '$SYS.REQ.SERVER.PING',
        'sb.prod.cmd.a-1.x',
      ];
      for (const subject of tried) {
        const refused = nc.request(subject, '', { timeout: 2_000 });
        await expect(refused, subject).rejects.toMatchObject({ code: ErrorCode.PermissionsViolation });
      }
      // The server does not check the subject that a reply goes to; across a service import it leads back to who asked.
      for (const reply of ['$JS.API.STREAM.DELETE.RUN', '$JS.API.STREAM.PURGE.RUN', 'sb.prod.cmd.a-1.x'])
        nc.publish(`sb.prod.join.${key.publicKey}`, '{}', { reply });
      await nc.flush();
      const doctor = await signalbox('doctor');
      expect(doctor.stdout).not.toContain('FAILED');
      expect((await signalbox('runs')).stdout).toContain('exec-1');
    } finally {
      await nc.close();
    }
  });

  it('lets its host in while others come in as well, and more are invited', async () => {
    const names = Array.from({ length: 4 }, (_, i) => `many-${i}`);
    const tokens: string[] = [];
    for (const name of names) tokens.push(await enroll(name));
    const joined = names.map((name, i) => joinAs(name, tokens[i] ?? ''));
    const [all] = await Promise.all([Promise.all(joined), enroll('one-more')]);
    expect(all.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(names.map(() => [0, '']));
  });
});

describe('the policy that a host joins with', () => {
  it('allows what its role needs, and no program of somebody else; one that is there stays', async () => {
    const token = await enroll('m-1', '--labels', 'role=miner');
    const joined = await joinAs('m-1', token, []);
    expect(joined).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('policy.yaml') });
    const policy = join(etc('m-1'), 'policy.yaml');
    expect(statSync(policy).mode & 0o777).toBe(0o644);
    await heard(startAgent('m-1'));
    const said = async (...args: string[]) => {
      const { stdout, stderr } = await signalbox(...args);
      return stdout + stderr;
    };
    expect(await said('exec', '--hosts', 'm-1', '--effect', 'read', '--', 'uptime')).toMatch(/SB235|SB-POLICY-ACTION/);
    expect(await said('probe', 'host.facts', '--hosts', 'm-1')).toContain('cpus');
    expect(await said('probe', 'systemd.unit', '--hosts', 'm-1', '--with', 'unit=sshd.service')).toContain(
      'SB-POLICY-UNIT',
    );
    expect(await said('hosts')).not.toMatch(/everything is allowed: .*m-1/);

    mkdirSync(etc('m-2'), { recursive: true });
    writeFileSync(join(etc('m-2'), 'policy.yaml'), 'allow: {}\n');
    expect((await joinAs('m-2', await enroll('m-2'), [])).exitCode).toBe(0);
    expect(readFileSync(join(etc('m-2'), 'policy.yaml'), 'utf8')).toBe('allow: {}\n');
  });
});

describe('a host that is revoked', () => {
  it('is cut off at once, cannot come back, and is not believed', async () => {
    mkdirSync(join(root, 'd-1'), { recursive: true });
    expect((await joinAs('d-1', await enroll('d-1'))).exitCode).toBe(0);
    const agent = startAgent('d-1');
    await heard(agent);

    const revoked = await signalbox('hosts', 'revoke', 'd-1', '--note', 'sold');
    expect([revoked.exitCode, revoked.stderr]).toEqual([0, '']);
    await until('the connection to be cut', () => agent.log().includes('connection to NATS lost'), {
      timeoutMs: 3_000,
    });
    expect(await stateOf('d-1')).toBeUndefined();
    expect(await stateOf('a-1')).toBe('online');
    expect(hasEnded(agent.child)).toBe(false);

    agent.child.kill('SIGKILL');
    const { exitCode, stderr } = await sayTo([PROGRAMS.agent, '--config', join(etc('d-1'), 'agent.yaml')]);
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('SB-BUS-AUTH')]);
    const log = logOf('coordinator');
    expect(log).toContain('"msg":"host revoked"');
    expect(log).toContain('"note":"sold"');
  });
});

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
