import { describe, expect, it } from 'vitest';
import { openServiceManager } from './service-manager.ts';

function listening(env: Record<string, string> = {}, notify?: (assignment: string) => Promise<void>) {
  const told: string[] = [];
  const problems: string[] = [];
  const time = { nowMs: 0 };
  const manager = openServiceManager({
    env: { NOTIFY_SOCKET: '/run/systemd/notify', ...env },
    monotonicMs: () => time.nowMs,
    notify: notify ?? (async (assignment) => void told.push(assignment)),
    onProblem: (reason) => problems.push(reason),
  });
  return { manager, told, problems, time };
}

describe('what a daemon says to its service manager', () => {
  it('says that it is ready before it says how it is', async () => {
    const { manager, told } = listening();
    manager.ready('waiting for NATS');
    await manager.stopping();
    expect(told).toContain('READY=1');
    expect(told.indexOf('READY=1')).toBeLessThan(told.indexOf('STATUS=waiting for NATS'));
  });

  it('beats only when its loop turns, and not more often than is wanted', () => {
    const { manager, told, time } = listening({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) });
    for (time.nowMs = 0; time.nowMs < 60_000; time.nowMs += 1_000) manager.alive();
    expect(told).toEqual(Array(4).fill('WATCHDOG=1'));
    time.nowMs += 3_600_000;
    expect(told).toHaveLength(4);
  });

  it.each([
    ['no watchdog is asked for', {}],
    ['the watchdog is meant for another process', { WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }],
    ['the period makes no sense', { WATCHDOG_USEC: 'soon' }],
  ])('does not beat when %s', (_when, env) => {
    const { manager, told } = listening(env);
    manager.alive();
    expect(told).toEqual([]);
  });

  it('is silent when nobody listens', async () => {
    const { manager, told } = listening({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000' });
    manager.ready('x');
    manager.alive();
    await manager.stopping();
    expect(told).toEqual([]);
  });

  it('goes on when the manager cannot be told, and says so', async () => {
    const { manager, problems } = listening({}, async () => {
      throw new Error('spawn systemd-notify ENOENT');
    });
    await manager.stopping();
    expect(problems).toEqual(['spawn systemd-notify ENOENT']);
  });
});
