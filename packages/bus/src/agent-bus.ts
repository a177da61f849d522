import { STREAMS, subjects } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { dial } from './connect.ts';
import { isNoResponders, isTimeout } from './errors.ts';
import { type LaneTiming, openLane } from './lane.ts';
import type { Link } from './link.ts';
import { hostToken, idToken, runToken } from './names.ts';
import type { AgentBus, BusOptions } from './port.ts';
import { Endpoints } from './service.ts';
import { AGENT_SERVICE } from './service-names.ts';
import { Valve } from './valve.ts';

export interface AgentBusOptions extends BusOptions {
  /** The name that the host is enrolled under; permissions are bound to it. */
  host: string;
  /** Version of the program, shown by `$SRV.INFO`. */
  version?: string;
  timing?: Partial<LaneTiming>;
  /** How long a beat waits for the coordinator. Default 1.5 s, less than the time to the next one. */
  beatTimeoutMs?: number;
}

const BEAT_TIMEOUT_MS = 1_500;
const REPORT_TIMEOUT_MS = 5_000;

/** @throws SB-BUS-UNREACHABLE, SB-BUS-AUTH, SB-BUS-TOO-OLD, SB-BUS-NO-JETSTREAM, SB-BUS-SUBJECT. */
export async function connectAgent(options: AgentBusOptions): Promise<AgentBus> {
  hostToken(options.host);
  hostToken(options.mesh);
  return agentBus(await dial({ ...options, inbox: options.host }), options);
}

function agentBus(link: Link, { mesh, host, version, timing, beatTimeoutMs }: AgentBusOptions): AgentBus {
  const s = subjects(mesh);
  const js = link.nc.jetstream();
  const outputs = new Valve(link);
  const service = new Endpoints(link, {
    name: AGENT_SERVICE,
    description: 'A Signalbox agent: answers questions about its host',
    metadata: { host, mesh, ...(version === undefined ? {} : { version }) },
  });

  return {
    get connected() {
      return link.connected;
    },
    stats: link.stats,
    onConnection: link.onConnection,
    close: link.close,
    commands: (handler) =>
      openLane(link, { stream: STREAMS.commands, consumer: host, live: s.liveCommandsOf(host), handler, timing }),
    controls: (handler) =>
      openLane(link, { stream: STREAMS.controls, consumer: host, live: s.liveControlsOf(host), handler, timing }),

    async report(run, data) {
      const subject = s.report(host, runToken(run));
      // The same report sent again after a lost acknowledgement is stored once.
      const options = { msgID: sha256(data), timeout: REPORT_TIMEOUT_MS };
      await link.exchange(`reporting to ${run}`, () => js.publish(subject, data, options));
    },

    output: ({ run, step, commandId, seq }, data) =>
      // A piece that is sent again by an agent that was restarted is stored once.
      outputs.publish(s.output(runToken(run), step, host), data, `${commandId}-${seq}`),

    async beat(data) {
      if (!link.connected) return undefined;
      const timeout = beatTimeoutMs ?? BEAT_TIMEOUT_MS;
      try {
        return (await link.nc.request(s.health(host), data, { timeout })).data;
      } catch (error) {
        const unheard = isTimeout(error) || isNoResponders(error) || !link.connected;
        if (!unheard) link.log('warn', 'a beat failed', { error: String(error) });
        return undefined;
      }
    },

    answer: (verb, handler) => service.add(s.query(host, idToken(verb)), verb, handler),
  };
}
