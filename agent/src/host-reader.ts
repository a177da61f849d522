import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, freemem, hostname, release, totalmem } from 'node:os';
import type { Json } from '@signalbox/protocol';
import type { HostReader } from './ports.ts';

const SYSTEMCTL = '/usr/bin/systemctl';
const ANSWER_MS = 5_000;

/**
 * Load is read from the system directly, because it is read with every beat; the facts come from systeminformation, which
 * is loaded only when they are first asked for: an idle agent stays small.
 */
export function createHostReader(): HostReader {
  let last = cpuTimes();

  return {
    load() {
      const now = cpuTimes();
      const total = now.total - last.total;
      const cpuPercent = total > 0 ? round(100 * (1 - (now.idle - last.idle) / total)) : undefined;
      last = now;
      return {
        ...(cpuPercent !== undefined && { cpuPercent }),
        memoryPercent: round(100 * (1 - freemem() / totalmem())),
        agentRssBytes: process.memoryUsage.rss(),
      };
    },
    async facts() {
      const { osInfo, fsSize } = await import('systeminformation');
      const [os, disks] = await Promise.all([osInfo(), fsSize()]);
      const facts: Record<string, Json> = {
        hostname: hostname(),
        os: `${os.distro} ${os.release}`.trim(),
        kernel: release(),
        arch: arch(),
        cpus: cpus().length,
        memoryBytes: totalmem(),
        node: process.versions.node,
        disks: disks.map(({ mount, size, available }) => ({ mount, sizeBytes: size, freeBytes: available })),
      };
      return facts;
    },
    goingDown: () =>
      new Promise((resolve) => {
        // It answers with an exit code of its own for each state, also without the bus.
        const options = { env: {}, timeout: ANSWER_MS, killSignal: 'SIGKILL' } as const;
        execFile(SYSTEMCTL, ['is-system-running'], options, (_, stdout) => resolve(stdout.trim() === 'stopping'));
      }),
  };
}

/**
 * The first line of /proc/stat: user nice system idle iowait irq softirq steal (proc(5)). `os.cpus()` reads a file a core
 * and more, which is most of what a beat would cost.
 */
function cpuTimes(): { idle: number; total: number } {
  const [, ...fields] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.trim().split(/\s+/).map(Number) ?? [];
  const times = fields.slice(0, 8);
  const [, , , idle = 0, waiting = 0] = times;
  return { idle: idle + waiting, total: times.reduce((sum, ticks) => sum + ticks, 0) };
}

const round = (percent: number): number => Math.round(percent * 10) / 10;
