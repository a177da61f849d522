import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost, requireReal, until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';
import { findDocker, RealDocker } from './real-docker.ts';

const real = requireReal('Docker engine as root (Debian: docker.io docker-compose busybox-static)', findDocker());
const IMAGE = 'r3mes-backend:latest';
const compose = (command: string, code: string) => `version: "3"
services:
  backend:
    image: ${IMAGE}
    network_mode: host
    restart: always
    stop_signal: SIGKILL
    command: ["/bin/busybox", "sh", "-c", ${JSON.stringify(command)}]
    volumes: ["${code}:/code"]
`;
// Docker keeps a line back until it is whole.
const SERVES = '/bin/busybox cat /release /code/VERSION; /bin/busybox echo; exec /bin/busybox sleep 1000';

function action(name: string): Required<Action> {
  return actionByName.get(name) as Required<Action>;
}

describe.skipIf(!real)('actions on a real Docker engine', () => {
  let host: LocalHost;
  let engine: RealDocker;
  let file: string;
  let old: string;
  beforeAll(async () => {
    engine = await RealDocker.start();
  });
  afterAll(() => engine[Symbol.asyncDispose]());
  beforeEach(async () => {
    host = await LocalHost.create();
    const code = host.file('code');
    await mkdir(code);
    await git('init', '--quiet', '--initial-branch=main');
    for (const version of ['0.9.0', '1.0.0']) {
      await writeFile(`${code}/VERSION`, version);
      await git('add', '.');
      await git('commit', '--quiet', '-m', version);
      await git('tag', `v${version}`);
    }
    await git('checkout', '--quiet', 'v0.9.0');
    file = await host.write('backend/docker-compose.yml', compose(SERVES, code));
    old = engine.image(IMAGE, 'image 0.9.0 ');
    await composeUp(file);
    return async () => {
      await host.exec(['docker-compose', '-p', 'backend', '-f', file, 'rm', '-sf'], { env: engine.env });
      await host[Symbol.asyncDispose]();
    };
  });

  async function git(...words: string[]): Promise<void> {
    const done = await host.exec(['git', '-c', 'user.name=x', '-c', 'user.email=x@x', ...words], {
      cwd: host.file('code'),
    });
    expect(done.exitCode, done.stderr).toBe(0);
  }
  async function composeUp(path: string): Promise<void> {
    const done = await host.exec(['docker-compose', '-p', 'backend', '-f', path, 'up', '-d', 'backend'], {
      env: engine.env,
    });
    expect(done.exitCode, done.stderr).toBe(0);
  }
  const id = () => engine.run('ps', '--quiet', '--filter', 'label=com.docker.compose.service=backend');
  /** What the container says when it starts comes when it comes. */
  const says = (text: string) =>
    until(`the container to say ${text}`, () => engine.run('logs', id()).trimEnd().endsWith(text));
  const input = (more: JsonObject = {}): JsonObject => ({
    file,
    service: 'backend',
    project: 'backend',
    socket: engine.socket,
    ...more,
  });
  async function act(name: string, more: JsonObject = {}): Promise<() => Promise<JsonObject>> {
    const full = action(name).schema.parse(name === 'git.checkout' ? more : input(more)) as JsonObject;
    const { before, problems } = await action(name).check(host, full);
    expect(problems).toEqual([]);
    const receipt = { ...before, ...(await action(name).run(host, full, before)) };
    return () => action(name).undo(host, full, receipt);
  }

  it('[T17] takes image and code back together; the guide’s image tag alone brings the old image with the new code', async () => {
    await says('image 0.9.0 0.9.0');
    const undos = [
      await act('docker.stop'),
      await act('git.checkout', { folder: host.file('code'), revision: 'v1.0.0' }),
    ];
    engine.image(IMAGE, 'image 1.0.0 ');
    undos.push(await act('docker.up', { code: host.file('code'), stableFor: '500ms' }));
    await says('image 1.0.0 1.0.0');

    engine.run('tag', old, IMAGE);
    await composeUp(file);
    await says('image 0.9.0 1.0.0');

    for (const undo of undos.reverse()) await undo();
    await says('image 0.9.0 0.9.0');
    expect(engine.run('inspect', '--format', '{{.Image}}', id())).toBe(old);
  });

  it('does not say that it is back when the compose file names another image by then', async () => {
    engine.image(IMAGE, 'image 1.0.0 ');
    const undo = await act('docker.up', { stableFor: '500ms' });
    engine.image('r3mes-backend:edited', 'image of another file ');
    await writeFile(file, compose(SERVES, host.file('code')).replace(IMAGE, 'r3mes-backend:edited'));
    expect(await codeOf(undo())).toBe('SB-ACT-CONTAINER');
    await writeFile(file, compose(SERVES, host.file('code')));
    await undo();
    expect(engine.run('inspect', '--format', '{{.Image}}', id())).toBe(old);
  });

  it('[T18] says at plan time that a compose file, or a service in it, is not there', async () => {
    const codes = async (more: JsonObject) => {
      const full = action('docker.up').schema.parse(input(more)) as JsonObject;
      return (await action('docker.up').check(host, full)).problems.map(({ message }) => message);
    };
    const missing = host.file('backend', 'docker-compose.rollback.yml');
    expect(await codes({ file: missing })).toEqual([`${missing} is not there`]);
    expect(await codes({ service: 'frontend' })).toEqual([`${file} has no service frontend`]);
    await writeFile(file, 'services: [');
    expect(await codes({})).toEqual([`${file} is not understood by compose`]);
  });

  it('[T18] is back without a file of its own; the guide’s rollback stops the service, and then has no file to start it from', async () => {
    const back = await act('docker.stop');
    const rollback = ['-p', 'backend', '-f', 'docker-compose.rollback.yml', 'up', '-d', 'backend'];
    const naive = await host.exec(['docker-compose', ...rollback], { env: engine.env, cwd: host.file('backend') });
    expect([naive.exitCode, id()]).toEqual([1, '']);
    await back();
    expect(engine.run('inspect', '--format', '{{.Image}}', id())).toBe(old);
  });

  it('is started anew on the way back when the engine brought it up meanwhile, with the code of then', async () => {
    await says('image 0.9.0 0.9.0');
    const undos = [
      await act('docker.stop'),
      await act('git.checkout', { folder: host.file('code'), revision: 'v1.0.0' }),
    ];
    await composeUp(file);
    await says('image 0.9.0 1.0.0');
    for (const undo of undos.reverse()) await undo();
    await says('image 0.9.0 0.9.0');
  });

  it('[T22] does not take a container for up that ends again and again', async () => {
    await rm(file);
    await writeFile(file, compose('exit 1', host.file('code')));
    const full = action('docker.up').schema.parse(input()) as JsonObject;
    const { before } = await action('docker.up').check(host, full);
    expect(await codeOf(action('docker.up').run(host, full, before))).toBe('SB-ACT-CONTAINER');
  });

  it('[I5] knows after a crash whether the service was stopped', async () => {
    const { before } = await action('docker.stop').check(host, input());
    const ask = (direction: 'do' | 'undo') =>
      action('docker.stop').probe(host, input(), { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await action('docker.stop').run(host, input(), before);
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    // It came up by itself: before its way back was begun that is not its work, after it is.
    const earlierMs = Date.now();
    engine.compose(file, 'start', 'backend');
    const asked = { direction: 'undo', receipt: before } as const;
    const states = [earlierMs, Date.now() + 1].map((atMs) =>
      action('docker.stop').probe(host, input(), { ...asked, begun: { atMs } }),
    );
    expect(await Promise.all(states)).toEqual(['applied', 'not-applied']);
  });
});
