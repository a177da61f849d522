import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const PROGRAM = '/usr/sbin/dnsmasq';

/** Debian: dnsmasq-base, which is the program alone: nothing is started by installing it. */
export const hasDnsmasq = (): boolean => existsSync(PROGRAM);

export interface DnsRecord {
  readonly name: string;
  readonly address: string;
  readonly ttlSeconds: number;
}

/** A real dnsmasq on loopback: the servers of a zone, or the resolver that users have, with its cache. */
export class RealDns implements AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly server: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  /** The servers of a zone: what they do not know does not exist. */
  static async zone(records: readonly DnsRecord[]): Promise<RealDns> {
    const dns = new RealDns(await freeDnsPort());
    await dns.publish(records);
    return dns;
  }

  /** A resolver that caches what `zone` answers; `keepsSeconds`: at least so long, whatever TTL it was given. */
  static async resolver(zone: RealDns, keepsSeconds = 0): Promise<RealDns> {
    const dns = new RealDns(await freeDnsPort());
    await dns.follow(zone, keepsSeconds);
    return dns;
  }

  private constructor(port: number) {
    this.#port = port;
    this.server = `127.0.0.1:${port}`;
  }

  /** Puts other records into the zone; resolves when they are answered. */
  async publish(records: readonly DnsRecord[]): Promise<void> {
    const words = records.map(({ name, address, ttlSeconds }) => `--host-record=${name},${address},${ttlSeconds}`);
    await this.#restart(['--local=/#/', ...words]);
  }

  /** Begins anew as a resolver, with an empty cache. */
  async follow(zone: RealDns, keepsSeconds = 0): Promise<void> {
    await this.#restart([`--server=${zone.server.replace(':', '#')}`, `--min-cache-ttl=${keepsSeconds}`]);
  }

  async #restart(words: readonly string[]): Promise<void> {
    await this[Symbol.asyncDispose]();
    const own = ['--no-daemon', '--conf-file=/dev/null', '--no-hosts', '--no-resolv'];
    const where = ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${this.#port}`];
    const child = spawn(PROGRAM, [...own, ...where, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('started, version')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`dnsmasq: ${said.join('\n')}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  /** When there is no time to wait. */
  killNow(): void {
    this.#child?.kill('SIGKILL');
  }
}

/**
 * A port that is free for both UDP and TCP, and stays so while the server is started anew: below those that the kernel
 * gives to whoever connects (net.ipv4.ip_local_port_range begins at 32768).
 */
async function freeDnsPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const [udp, tcp] = [createSocket('udp4'), createServer()];
    const bound = await Promise.allSettled([
      once(udp.bind(port, '127.0.0.1'), 'listening'),
      once(tcp.listen(port, '127.0.0.1'), 'listening'),
    ]);
    const closed = [once(udp, 'close'), tcp.listening ? once(tcp, 'close') : undefined];
    udp.close();
    tcp.close();
    await Promise.all(closed);
    if (bound.every(({ status }) => status === 'fulfilled')) return port;
  }
}
