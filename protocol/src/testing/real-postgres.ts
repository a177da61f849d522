import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './ports.ts';

const INSTALLED = '/usr/lib/postgresql';
const PASSWORD = "p@ss/w:'x";

/** The folder with `initdb` and `postgres`: Debian keeps them by version, outside PATH. */
export function findPostgres(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(INSTALLED, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/**
 * A real PostgreSQL on loopback, in a folder of its own, with passwords on. It ends with the test (`await using`). Never as
 * root, which PostgreSQL refuses: then as `nobody`.
 */
export class RealPostgres implements AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  readonly #server: ChildProcess;

  static async start(): Promise<RealPostgres> {
    const bin = findPostgres();
    if (bin === undefined) throw new Error('no PostgreSQL server is installed');
    const dir = mkdtempSync(join(tmpdir(), 'sb-pg-'));
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    writeFileSync(join(dir, 'password'), PASSWORD, { mode: 0o644 });
    if (nobody.uid !== undefined) chownSync(dir, nobody.uid, nobody.gid);
    const data = join(dir, 'data');
    const made = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'admin', '-A', 'scram-sha-256', '--pwfile', join(dir, 'password'), '-E', 'UTF8', '--no-sync'],
      { ...nobody, cwd: dir, env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH }, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
    const [port = 0] = await freePorts(1);
    const server = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-k', dir, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'],
      { ...nobody, cwd: dir, env: { LC_ALL: 'C.UTF-8' }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    await ready(server);
    return new RealPostgres(dir, port, server);
  }

  private constructor(dir: string, port: number, server: ChildProcess) {
    this.dir = dir;
    this.port = port;
    this.#server = server;
  }

  /** The administrator's; its password needs escapes everywhere. */
  uri(database: string): string {
    // encodeURIComponent leaves the quote alone, and readers of environment files do not.
    const password = encodeURIComponent(PASSWORD).replaceAll("'", '%27');
    return `postgresql://admin:${password}@127.0.0.1:${this.port}/${database}`;
  }

  get password(): string {
    return PASSWORD;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#server, 'exit');
    // Fast shutdown: sessions are ended.
    this.#server.kill('SIGINT');
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    if (!server.stderr) throw new Error('no output to wait for');
    createInterface({ input: server.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said.join('\n')}`)));
  });
}
