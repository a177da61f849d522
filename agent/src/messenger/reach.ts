import type { AgentBus } from '@signalbox/bus';
import { BEAT_MS, type Privileges } from '@signalbox/protocol';
import type { ServiceManager } from '@signalbox/service';
import { agentError } from '../codes.ts';
import type { AgentConfig } from '../config.ts';
import type { HostKey } from '../host-key.ts';
import type { Log } from '../ports.ts';
import { VERSION } from '../version.ts';
import type { Door } from './door.ts';

const RESTS = 'privileges: root in agent.yaml: signalbox-runner.service speaks to the mesh itself';

/** Who speaks to the network here: a user of its own, or root; undefined: some other user, who does everything. @throws SB-AGENT-NO-MESSENGER */
export function privilegesOf({ privileges }: AgentConfig, door: Door | undefined): Privileges | undefined {
  if (door !== undefined) return privileges ?? 'runner';
  if (privileges === 'runner') {
    throw agentError('SB-AGENT-NO-MESSENGER', 'agent.yaml says `privileges: runner`, and no socket was handed over');
  }
  return process.geteuid?.() === 0 ? 'root' : undefined;
}

export interface Reach {
  readonly door: Door | undefined;
  readonly signer: HostKey;
  readonly ca: string | undefined;
  readonly jwt: string | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly service: ServiceManager;
}

/**
 * The mesh, through the messenger or by a connection of this process. The second is waited for without end.
 * @returns undefined when the agent is asked to stop meanwhile.
 */
export async function reachMesh(config: AgentConfig, reach: Reach): Promise<AgentBus | undefined> {
  const { servers, mesh, name: host } = config;
  const { door, signer, ca, jwt, log, signal, service } = reach;
  if (door !== undefined && privilegesOf(config, door) === 'runner') {
    door.open({ servers, mesh, host, ca, jwt }, signer);
    return door.bus;
  }
  door?.rest(RESTS);
  // Not loaded by a runner that has a messenger: what speaks to the network is not in a process of root's.
  const { connectAgent } = await import('@signalbox/bus');
  const waiting = setInterval(service.alive, BEAT_MS);
  try {
    const options = { servers, mesh, host, ca, jwt, log, signal, seed: () => signer.seed };
    return await connectAgent({ ...options, name: `agent ${host}`, version: VERSION, connectTimeoutMs: 0 });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    clearInterval(waiting);
  }
}
