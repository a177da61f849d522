import type { AgentBus, Delivery } from '@signalbox/bus';
import { ACK_WAIT_MS, type LaneName, type Parcel } from './broker.ts';
import type { Link } from './network.ts';
import type { Switchboard } from './switchboard.ts';

const SWEEP_MS = 10_000;
const BEAT_TIMEOUT_MS = 1_500;

/**
 * An agent's side of the simulated bus. What is stored for it comes live when it is lucky, and from the store at the
 * start, after each reconnect and every ten seconds; often both ways, so that the same message arrives twice.
 */
export interface AgentBusWorld {
  readonly switchboard: Switchboard;
  /** Told of each message that the agent acknowledges or terminates. */
  readonly acked: (lane: LaneName, id: string) => void;
}

export function agentBus(host: string, link: Link, { switchboard, acked }: AgentBusWorld): AgentBus {
  const { broker, life } = link;
  const end = switchboard.agent(host, life);
  const answers = new Map<string, (data: Uint8Array) => Promise<Uint8Array>>();
  end.answer = (verb, data, reply) => {
    const answer = answers.get(verb);
    link.receive(
      () =>
        void answer?.(data).then(
          (sealed) => link.send(() => reply(sealed)),
          () => {},
        ),
    );
  };

  function listen(name: LaneName, handler: (delivery: Delivery) => Promise<void>): void {
    const deliver = (parcel: Parcel) => {
      const { id, data } = parcel;
      const done = () =>
        link.send(() => {
          parcel.done = true;
        });
      const ack = () => {
        acked(name, id);
        done();
      };
      const working = () =>
        link.send(() => {
          parcel.againAtMs = life.timeline.nowMs + ACK_WAIT_MS;
        });
      link.receive(() => {
        handler({ id, data, working, ack, terminate: done }).catch(() => {});
      });
    };
    const sweep = () => {
      const now = life.timeline.nowMs;
      if (!link.connected) return;
      for (const parcel of broker.lane(host, name).values()) {
        if (parcel.done || parcel.expiresAtMs < now || parcel.againAtMs > now) continue;
        parcel.againAtMs = now + ACK_WAIT_MS;
        deliver(parcel);
      }
    };
    const sweepOn = () => {
      sweep();
      life.after(SWEEP_MS, sweepOn);
    };
    end.lanes[name] = deliver;
    link.onConnection((connected) => connected && life.after(1, sweep));
    sweepOn();
  }

  return {
    get connected() {
      return link.connected;
    },
    stats: { reconnects: 0, messagesIn: 0, messagesOut: 0 },
    onConnection: (listener) => link.onConnection(listener),
    close: async () => {},
    async commands(handler) {
      listen('commands', handler);
      return async () => {};
    },
    async controls(handler) {
      listen('controls', handler);
      return async () => {};
    },
    report: (run, data) => link.exchange('reporting', () => broker.report(run, host, data)),
    output: () => {},
    beat: (data) =>
      life.promise((resolve) => {
        const giveUp = life.after(BEAT_TIMEOUT_MS, () => resolve(undefined));
        link.send(() =>
          switchboard.beat(host, data, (reply) =>
            link.receive(() => {
              giveUp();
              resolve(reply);
            }),
          ),
        );
      }),
    async answer(verb, handler) {
      answers.set(verb, handler);
      return async () => {};
    },
  };
}
