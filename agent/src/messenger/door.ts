import type { Server, Socket } from 'node:net';
import type { AgentBus } from '@signalbox/bus';
import type { Failure } from '@signalbox/protocol';
import type { Signer } from '@signalbox/protocol/crypto';
import { createBusThroughMessenger } from './bus-through.ts';
import { type Line, type Order, openLine, readSaid, type Said, type Way } from './wire.ts';

/** Whoever carries, and who asks for a signature meanwhile; one that follows another; and some to spare. */
const MAX_VISITORS = 8;
/** How long a messenger may take to go. */
const GOODBYE_MS = 5_000;
/** How long a runner that cannot begin waits for a messenger to tell it so. */
const REFUSE_MS = 2_000;

/** Where messengers come to the runner. One carries at a time: the last that came. */
export interface Door {
  readonly bus: AgentBus;
  /** From now on messengers are told where the mesh is, and challenges of its servers are signed. */
  open(way: Omit<Way, 'key'>, signer: Signer): void;
  /** From now on they are told that there is nothing to carry. */
  rest(why: string): void;
  /** Tells the messenger why there is no runner, if one comes within a moment. */
  refuse(failure: Failure, exitCode: number): Promise<void>;
  /** Shown where the messenger's own service is shown. */
  status(text: string): void;
}

/** @param server it listens already. */
export function openDoor(server: Server): Door {
  let greeting: Order | undefined;
  let sign: ((challenge: string) => Order) | undefined;
  let status: Order | undefined;
  let visitor: Line<Order> | undefined;
  let came = () => {};
  const visited = new Promise<void>((resolve) => {
    came = resolve;
  });
  /** Who asked before there was a key. */
  let waiting: (() => void)[] = [];
  const through = createBusThroughMessenger(async () => {
    server.close();
    visitor?.end();
    await within(GOODBYE_MS, visitor?.closed ?? Promise.resolve());
  });

  function welcome(socket: Socket): void {
    const line: Line<Order> = openLine(socket, readSaid, take);
    void line.closed.then(() => {
      if (visitor !== line) return;
      visitor = undefined;
      through.leave();
    });

    function take(said: Said): void {
      if (said.type === 'here') meet(line);
      else if (said.type === 'sign') answer(line, said.challenge);
      else if (line !== visitor) socket.destroy();
      else through.hear(said);
    }
  }

  function meet(line: Line<Order>): void {
    visitor?.end();
    visitor = line;
    came();
    tell();
  }

  function tell(): void {
    if (visitor === undefined || greeting === undefined) return;
    visitor.send(greeting);
    if (greeting.type === 'connect') through.meet(visitor);
    if (status) visitor.send(status);
  }

  function answer(line: Line<Order>, challenge: string): void {
    const soon = sign === undefined && greeting === undefined && waiting.length < MAX_VISITORS;
    if (soon) return void waiting.push(() => answer(line, challenge));
    if (sign) line.send(sign(challenge));
    line.end();
  }

  function say(order: Order): void {
    greeting = order;
    tell();
    for (const call of waiting) call();
    waiting = [];
  }

  server.maxConnections = MAX_VISITORS;
  server.on('connection', welcome);

  return {
    bus: through.bus,
    open(way, signer) {
      sign = (challenge) => {
        const sig = Buffer.from(signer.sign(Buffer.from(challenge))).toString('base64');
        return { type: 'signed', key: signer.publicKey, sig };
      };
      say({ type: 'connect', ...way, key: signer.publicKey });
    },
    rest: (why) => say({ type: 'rest', why }),
    async refuse(failure, exitCode) {
      say({ type: 'refused', failure, exitCode });
      await within(REFUSE_MS, visited);
      visitor?.end();
      await within(REFUSE_MS, visitor?.closed ?? Promise.resolve());
    },
    status(text) {
      // Who rests says why.
      if (greeting?.type !== 'connect') return;
      status = { type: 'status', text };
      visitor?.send(status);
    },
  };
}

async function within(ms: number, over: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    over,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
