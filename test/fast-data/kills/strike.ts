import { until } from '@signalbox/protocol/testing';
import { LONG_MS, type World } from '../world.ts';

/** SIGKILL, and what a service manager does about it. Resolves when the coordinator answers, or has heard that agent again. */
export async function strikeDaemon({ mesh, operator }: World, victim: 'agent' | 'coordinator', host: string) {
  if (victim === 'coordinator') {
    await mesh.killCoordinator();
    mesh.startCoordinator();
  } else {
    await mesh.kill(host);
    mesh.startAgent(host);
  }
  const sinceMs = victim === 'agent' ? Date.now() : 0;
  await until(
    `${victim} after its death`,
    async () => {
      const { hosts } = await operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
      return hosts.some(({ name, seenAtMs = 0 }) => name === host && seenAtMs >= sinceMs);
    },
    { timeoutMs: LONG_MS },
  );
}
