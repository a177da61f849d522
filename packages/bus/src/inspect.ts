import type { CoordinatorContext } from './context.ts';
import type { BusInspection } from './port.ts';

const HEALTH_TIMEOUT_MS = 2_000;

/** What `doctor` shows of the server. */
export async function inspect({ link, jsm }: CoordinatorContext, healthUrl?: string): Promise<BusInspection> {
  const { nc } = link;
  return await link.exchange('inspecting the server', async () => {
    const [roundTripMs, account, infos, healthy] = await Promise.all([
      nc.rtt(),
      jsm.getAccountInfo(),
      jsm.streams.list().next(),
      isHealthy(healthUrl),
    ]);
    const { max_storage: limit } = account.limits;
    return {
      serverVersion: nc.info?.version ?? 'unknown',
      serverName: nc.info?.server_name ?? 'unknown',
      jetstream: nc.info?.jetstream === true,
      roundTripMs,
      storage: { usedBytes: account.storage, limitBytes: limit >= 0 ? limit : undefined },
      streams: infos.map(({ config, state, cluster }) => ({
        name: config.name,
        messages: state.messages,
        bytes: state.bytes,
        replicas: config.num_replicas,
        // A stream without a cluster is led by its only server.
        leader: cluster === undefined || cluster.leader !== undefined,
      })),
      healthy,
    };
  });
}

async function isHealthy(url: string | undefined): Promise<boolean | undefined> {
  if (url === undefined) return undefined;
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })).ok;
  } catch {
    return false;
  }
}
