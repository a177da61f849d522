import type { AgentBus, CoordinatorBus } from '@signalbox/bus';
import { type BusWorld, busContract } from '@signalbox/bus/testing';
import { describe, onTestFinished } from 'vitest';
import { agentBus } from './agent-bus.ts';
import { Broker } from './broker.ts';
import { coordinatorBus } from './coordinator-bus.ts';
import { Life } from './life.ts';
import { FINE, Link, type Weather } from './network.ts';
import { Chance } from './random.ts';
import { Switchboard } from './switchboard.ts';
import { Timeline } from './timeline.ts';

const LOST: Weather = { ...FINE, loss: 1 };

/** The bus of the simulator in a world of its own, whose time passes by itself while anybody waits for something. */
async function openSimulated(): Promise<BusWorld> {
  const timeline = new Timeline();
  const broker = new Broker();
  const switchboard = new Switchboard(broker);
  const world = { broker, chance: new Chance(1) };
  const links = new Map<CoordinatorBus | AgentBus, { link: Link; lose: () => void }>();
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  void (async () => {
    while (!over) {
      await timeline.pass(() => over);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  })();

  const connect = <T extends CoordinatorBus | AgentBus>(name: string, make: (link: Link) => T): T => {
    // Each exchange looks at the weather twice: on the way there, and on the way back.
    let looks = Number.POSITIVE_INFINITY;
    const weather = () => {
      looks -= 1;
      return looks === 0 ? LOST : FINE;
    };
    const life = new Life(name, timeline);
    const link = new Link(life, { ...world, weather });
    const made = make(link);
    const bus = Object.defineProperty({ ...made, close: async () => life.end() }, 'connected', {
      get: () => link.connected,
    });
    links.set(bus, {
      link,
      lose: () => {
        looks = 2;
      },
    });
    return bus;
  };
  let back = () => {};
  return {
    coordinator: async () => connect('coordinator', (link) => coordinatorBus(link, switchboard)),
    agent: async (host) => connect(host, (link) => agentBus(host, link, { switchboard, acked: () => {} })),
    loseAnswer: (bus) => links.get(bus)?.lose(),
    remember: async () => {
      back = broker.remember();
    },
    putBack: async () => {
      const all = [...links.values()].map(({ link }) => ({ link, before: link.connected }));
      for (const up of [false, true]) {
        broker.up = up;
        for (const { link, before } of all) link.noticed(up ? false : before);
        if (!up) back();
      }
    },
    fill: async () => {
      broker.full = true;
    },
  };
}

describe("the simulator's bus, held to what NATS does", () => busContract(openSimulated));
