import { execFile } from 'node:child_process';

/**
 * What a daemon says to the service manager that started it (sd_notify(3), units with `Type=notify`). Where nobody listens
 * (no `NOTIFY_SOCKET`), all of it is silence.
 */
export interface ServiceManager {
  /** The daemon does its work from now on; `status` is what `systemctl status` shows of it. */
  ready(status: string): void;
  status(text: string): void;
  /**
   * The daemon's own loop has come round. Called as often as the loop turns: the manager is told only as often as it
   * wants to know (`WatchdogSec=`), so a loop that stands still is what brings the watchdog.
   */
  alive(): void;
  /** The daemon has begun to end, on purpose. Resolves when the manager knows. */
  stopping(): Promise<void>;
}

export interface ServiceManagerOptions {
  /** The daemon's own environment. */
  env: Readonly<Record<string, string | undefined>>;
  /** Steady time. */
  monotonicMs: () => number;
  /** Tells the manager, and rejects when it could not be told. Left out: `systemd-notify`. */
  notify?: (assignment: string) => Promise<void>;
  /** Something could not be told. The daemon goes on. */
  onProblem: (reason: string) => void;
}

/** Beats come four times as often as the manager needs them: one that is late or lost does no harm. */
const BEATS_A_PERIOD = 4;

export function openServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, monotonicMs, notify = throughSystemdNotify, onProblem } = options;
  const listens = env.NOTIFY_SOCKET !== undefined && env.NOTIFY_SOCKET !== '';
  const periodMs = watchdogMs(env);
  let beatAtMs = Number.NEGATIVE_INFINITY;

  async function tell(assignment: string): Promise<void> {
    if (!listens) return;
    try {
      await notify(assignment);
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    // One after the other: two processes that run at once may arrive in any order.
    ready: (status) => void tell('READY=1').then(() => tell(`STATUS=${status}`)),
    status: (text) => void tell(`STATUS=${text}`),
    alive() {
      if (periodMs === undefined || monotonicMs() - beatAtMs < periodMs / BEATS_A_PERIOD) return;
      beatAtMs = monotonicMs();
      void tell('WATCHDOG=1');
    },
    stopping: () => tell('STOPPING=1'),
  };
}

/** How often the manager wants to hear, when it means this process: systemd sets WATCHDOG_PID to say whom (sd_watchdog_enabled(3)). */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: ServiceManagerOptions['env']): number | undefined {
  const ms = Number(WATCHDOG_USEC) / 1_000;
  if (!Number.isFinite(ms) || ms <= 0) return undefined;
  return WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid ? ms : undefined;
}

/**
 * Node cannot send on a unix datagram socket, so systemd's own program does (units say `NotifyAccess=all`). It waits until
 * the manager has taken the message: one whose sender is gone already belongs to no unit and is dropped.
 */
function throughSystemdNotify(assignment: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', ['--', assignment], { timeout: 10_000 }, (error) => (error ? reject(error) : resolve()));
  });
}
