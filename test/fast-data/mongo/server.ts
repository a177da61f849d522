import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { MongoClient } from 'mongodb';
import { hasEnded, type Janitor } from '../../lab/janitor.ts';
import type { MongodProgram } from './binary.ts';

export interface MongodOptions {
  readonly dir: string;
  readonly port: number;
  readonly setName: string;
  readonly keyFile: string;
  /** `--setParameter`; what the tests need differently from a server in production. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** One mongod on loopback: an operating-system process that can be killed and started again. */
export class Mongod {
  readonly port: number;
  readonly #program: MongodProgram;
  readonly #options: MongodOptions;
  readonly #janitor: Janitor;
  #child: ChildProcess | undefined;

  constructor(program: MongodProgram, options: MongodOptions, janitor: Janitor) {
    this.#program = program;
    this.#options = options;
    this.#janitor = janitor;
    this.port = options.port;
    mkdirSync(join(options.dir, 'db'), { recursive: true });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const { dir, port, setName, keyFile, parameters } = this.#options;
    const { argv, env, path } = this.#program;
    const [program, ...first] = argv;
    const log = openSync(join(dir, 'mongod.log'), 'a');
    const words = [
      ...['--dbpath', path(join(dir, 'db')), '--port', String(port), '--bind_ip', '127.0.0.1'],
      ...['--replSet', setName, '--keyFile', path(keyFile), '--oplogSize', '64', '--wiredTigerCacheSizeGB', '0.25'],
      // Under Wine the counters that it collects do not exist, and it ends.
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      ...Object.entries(parameters).flatMap(([name, value]) => ['--setParameter', `${name}=${value}`]),
    ];
    const child = spawn(program, [...first, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#janitor.adopt(`mongod ${port}`, child);
    await until(
      `mongod on ${port}`,
      async () => {
        if (hasEnded(child)) throw new Error(`mongod on ${port} ended: see ${dir}/mongod.log`);
        return await answers(this.address);
      },
      { timeoutMs: 180_000 },
    );
  }

  /** SIGKILL: what it had not written to its journal is lost, as with a machine that dies. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

async function answers(address: string): Promise<boolean> {
  const client = new MongoClient(`mongodb://${address}/?directConnection=true`, { serverSelectionTimeoutMS: 500 });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
