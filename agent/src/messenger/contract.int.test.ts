import type { AgentBus } from '@signalbox/bus';
import { busContract } from '@signalbox/bus/testing';
import { openNats } from '@signalbox/bus/testing/nats';
import { until } from '@signalbox/protocol/testing';
import { describe } from 'vitest';
import { carried, doorAt, key, WAY } from '../testing/messenger.ts';

/** The bus as a runner has it, with a real server behind the messenger. */
async function behindMessengers() {
  const world = await openNats();
  const inner = new Map<unknown, AgentBus>();
  return {
    ...world,
    async agent(host: 'a1' | 'a2') {
      const mesh = await world.agent(host);
      const { door, path } = await doorAt();
      door.open({ ...WAY, host }, key);
      const { line } = await carried(path, mesh);
      await until('the runner to be connected', () => door.bus.connected);
      const close = async () => {
        await door.bus.close();
        await line.closed;
        await mesh.close();
      };
      const bus = Object.defineProperty({ ...door.bus, close }, 'connected', { get: () => door.bus.connected });
      inner.set(bus, mesh);
      return bus;
    },
    loseAnswer: (bus: Parameters<typeof world.loseAnswer>[0]) => world.loseAnswer(inner.get(bus) ?? bus),
  };
}

describe('NATS behind a messenger, as the runner relies on it', () => busContract(behindMessengers));
