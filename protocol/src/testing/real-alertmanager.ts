import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './ports.ts';

const PROGRAM = '/usr/bin/prometheus-alertmanager';

/** Debian: prometheus-alertmanager. */
export const hasAlertmanager = (): boolean => existsSync(PROGRAM);

/** A real Alertmanager on loopback, which tells one webhook of every alert at once. */
export class RealAlertmanager implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #dir: string;

  static async start(webhook: string): Promise<RealAlertmanager> {
    const dir = mkdtempSync(join(tmpdir(), 'sb-am-'));
    const route = {
      receiver: 'hook',
      group_by: ['...'],
      group_wait: '0s',
      group_interval: '1s',
      repeat_interval: '1h',
    };
    const receivers = [{ name: 'hook', webhook_configs: [{ url: webhook, send_resolved: false }] }];
    writeFileSync(join(dir, 'alertmanager.yml'), JSON.stringify({ route, receivers }));
    const [port = 0] = await freePorts(1);
    const words = [
      `--config.file=${join(dir, 'alertmanager.yml')}`,
      `--storage.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    const child = spawn(PROGRAM, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('TLS is disabled') || line.includes('Listening on')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`Alertmanager: ${said.join('\n')}`)));
    });
    return new RealAlertmanager(dir, port, child);
  }

  private constructor(dir: string, port: number, child: ChildProcess) {
    this.#dir = dir;
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** What Prometheus does when a rule holds. */
  async fire(labels: Readonly<Record<string, string>>): Promise<void> {
    const response = await fetch(`${this.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ labels }]),
    });
    if (!response.ok) throw new Error(`Alertmanager: ${response.status} ${await response.text()}`);
  }

  /** By alertname: `active`, `suppressed`, or `unprocessed`. */
  async states(): Promise<Record<string, string>> {
    const alerts: unknown = await (await fetch(`${this.url}/api/v2/alerts`)).json();
    const all = Array.isArray(alerts) ? alerts.map(Object) : [];
    return Object.fromEntries(all.map(({ labels, status }) => [String(labels.alertname), String(status.state)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** When there is no time to wait. */
  killNow(): void {
    this.#child.kill('SIGKILL');
  }
}
