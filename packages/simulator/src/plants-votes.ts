import type { CoordinatorBus, Delivery } from '@signalbox/bus';
import { Command, Control, commandId, LogEntry } from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { keyOf } from './keys.ts';
import { HONEST, type Planted } from './planted.ts';
import { changed } from './planted-bus.ts';

const SLOW_BEATS = 100;

const anybody = { trusts: () => true };

/** Somebody with the coordinator's key who asks a voter to undo what lies behind a point of no return. */
export const FORGER: Planted = { ...HONEST, trusting: true, coordinatorBus: forging };

/** Mistakes around points of no return [D4]: each would be harmless without the check that it leaves out. */
export const VOTE_PLANTS: Readonly<Record<string, { readonly rule: string; readonly planted: Planted }>> = {
  'a seal that is taken for a release': {
    rule: 'I3',
    planted: {
      ...FORGER,
      agentBus: (bus) =>
        changed(bus, {
          controls: (handler) => bus.controls((delivery) => handler(unsealed(delivery))),
          commands: (handler) => bus.commands((delivery) => handler(withoutVotes(delivery))),
        }),
    },
  },
  'a crossing on votes that are too old': {
    rule: 'D4',
    planted: {
      ...HONEST,
      coordinatorBus: (bus) => ({
        ...bus,
        append: async (run, data, expected) => {
          const { events } = LogEntry.parse(JSON.parse(Buffer.from(data).toString('utf8')));
          const crossed = events.find((event) => event.type === 'Crossed');
          // A question that no host understands gets no answer: this only takes its time.
          if (crossed) await bus.query(crossed.votes[0]?.host ?? '', 'sample', Buffer.from('?'), 40_000);
          return await bus.append(run, data, expected);
        },
      }),
    },
  },
  'a step behind a crossing that does not look again': {
    rule: 'I2',
    planted: {
      ...HONEST,
      trusting: true,
      agentBus: (bus) =>
        changed(bus, {
          commands: (handler) =>
            bus.commands(async (delivery) => {
              const blind = withoutVotes(delivery);
              // A slow agent: nobody knows what such a beat is, so each only takes its time.
              for (let i = 0; blind !== delivery && i < SLOW_BEATS; i++) await bus.beat(Buffer.from('?'));
              await handler(blind);
            }),
        }),
    },
  },
};

function forging(bus: CoordinatorBus): CoordinatorBus {
  const done = new Map<string, Command>();
  return {
    ...bus,
    sendCommand: async (host, id, data, ttlMs) => {
      await bus.sendCommand(host, id, data, ttlMs);
      const { payload } = open(data, { kind: 'command', schema: Command, ...anybody });
      const earlier = done.get(host);
      if (!payload.crossing) done.set(host, payload);
      else if (earlier) {
        const { run, step } = earlier;
        const parts = { run, step, host, direction: 'undo', attempt: 1 } as const;
        const { epoch, nonce, head, notAfterMs, sentAtMs } = payload;
        const now = { epoch, nonce, head, notAfterMs, sentAtMs };
        const forged: Command = { ...earlier, ...now, ...parts, id: commandId(parts), receipt: {} };
        await bus.sendCommand(host, forged.id, seal('command', forged, keyOf('coordinator')), ttlMs);
      }
    },
  };
}

function unsealed(delivery: Delivery): Delivery {
  const { payload } = open(delivery.data, { kind: 'control', schema: Control, ...anybody });
  if (payload.type !== 'seal') return delivery;
  return { ...delivery, data: seal('control', { ...payload, type: 'release' }, keyOf('coordinator')) };
}

function withoutVotes(delivery: Delivery): Delivery {
  const { payload } = open(delivery.data, { kind: 'command', schema: Command, ...anybody });
  if (!payload.crossing) return delivery;
  const { crossing: _crossing, critical: _critical, ...command } = payload;
  return { ...delivery, data: seal('command', command, keyOf('coordinator')) };
}
