import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';

const DOCKERD = '/usr/sbin/dockerd';
/** Statically linked, so that an image needs nothing else. */
const BUSYBOX = '/bin/busybox';

export function findDocker(): boolean {
  return process.getuid?.() === 0 && [DOCKERD, BUSYBOX, '/usr/bin/docker-compose'].every((path) => existsSync(path));
}

/** For tests: a Docker engine of the test's own, without networks; images are made from a folder, nothing is fetched. */
export class RealDocker implements AsyncDisposable {
  readonly dir: string;
  readonly socket: string;
  readonly #engine: ChildProcess;

  static async start(): Promise<RealDocker> {
    const dir = mkdtempSync(join(tmpdir(), 'sb-dk-'));
    const at = (name: string) => join(dir, name);
    const own = [
      '--bridge=none',
      '--iptables=false',
      '--ip-masq=false',
      '--data-root',
      at('data'),
      '--exec-root',
      at('exec'),
    ];
    const argv = [...own, '--pidfile', at('pid'), '--host', `unix://${at('d.sock')}`];
    const engine = spawn(DOCKERD, argv, { stdio: 'ignore' });
    const docker = new RealDocker(dir, at('d.sock'), engine);
    await until('the Docker engine to answer', () => docker.try('info') === 0);
    return docker;
  }

  private constructor(dir: string, socket: string, engine: ChildProcess) {
    this.dir = dir;
    this.socket = socket;
    this.#engine = engine;
  }

  try(...words: string[]): number | null {
    return spawnSync('/usr/bin/docker', words, { env: this.env, stdio: 'ignore' }).status;
  }

  /** As a person types it. */
  run(...words: string[]): string {
    const done = spawnSync('/usr/bin/docker', words, { env: this.env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`docker ${words.join(' ')}: ${done.stderr}`);
    return done.stdout.trim();
  }

  /** The same with compose. */
  compose(file: string, ...words: string[]): void {
    const done = spawnSync('/usr/bin/docker-compose', ['--file', file, ...words], { env: this.env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`docker-compose ${words.join(' ')}: ${done.stderr}`);
  }

  get env() {
    return { PATH: '/usr/bin:/bin', DOCKER_HOST: `unix://${this.socket}` };
  }

  /** An image that has busybox and says its release. */
  image(name: string, release: string): string {
    const root = mkdtempSync(join(this.dir, 'root-'));
    mkdirSync(join(root, 'bin'));
    copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'));
    writeFileSync(join(root, 'release'), release);
    return this.importRoot(name, root);
  }

  /** An image of what lies in a folder. @returns its id. */
  importRoot(name: string, root: string): string {
    const packed = spawnSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 1024 * 1024 });
    const made = spawnSync('/usr/bin/docker', ['import', '-', name], {
      env: this.env,
      input: packed.stdout,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`docker import: ${made.stderr}`);
    return made.stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.run('ps', '--all', '--quiet').split('\n').filter(Boolean)) this.run('rm', '--force', id);
    const ended = once(this.#engine, 'exit');
    this.#engine.kill('SIGTERM');
    await ended;
    // It leaves its network namespace mounted.
    spawnSync('umount', [join(this.dir, 'exec', 'netns', 'default')]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
