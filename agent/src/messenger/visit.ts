import type { Socket } from 'node:net';
import { type AgentBus, connectAgent } from '@signalbox/bus';
import { SignalboxError } from '@signalbox/protocol';
import type { ServiceManager } from '@signalbox/service';
import type { Log } from '../ports.ts';
import { VERSION } from '../version.ts';
import { type Carrier, createCarrier } from './carry.ts';
import { createRemoteSigner, type RemoteSignerOptions } from './remote-signer.ts';
import { type Line, type Order, openLine, type ToSay } from './wire.ts';

export interface VisitOptions {
  readonly socket: Socket;
  /** Where the runner signs, and the program that asks it to. */
  readonly signing: Pick<RemoteSignerOptions, 'socket' | 'program'>;
  readonly service: ServiceManager;
  readonly log: Log;
  /** Nothing is carried any more from then on; the runner goes on. */
  readonly end: AbortSignal;
}

/** What came of a visit: whether the runner has said anything, and with which code to end. */
export interface Visited {
  met: boolean;
  exitCode?: number;
}

/** The mesh does not take this host. */
const REFUSED = 4;

/** Carries for a runner until that goes away, or the service ends. */
export async function visit(options: VisitOptions): Promise<Visited> {
  const { socket, service, end } = options;
  const visited: Visited = { met: false };
  const gone = new AbortController();
  let carrying: Promise<Carrying | undefined> | undefined;
  let there: Carrying | undefined;
  const line: Line<ToSay> = openLine(socket, (text) => JSON.parse(text) as Order, take);
  const onEnd = () => line.end();

  function take(order: Order): void {
    if (order.type === 'status') service.status(order.text);
    else if (order.type === 'connect') meet(order);
    else if (order.type === 'rest') service.ready(order.why);
    else if (order.type === 'refused') refuse(order);
    else if (there) there.carrier.take(order);
    // Output is not worth waiting for.
    else if (order.type !== 'output') void carrying?.then((open) => open?.carrier.take(order));
  }

  function meet(order: Extract<Order, { type: 'connect' }>): void {
    visited.met = true;
    service.ready('waiting for NATS');
    carrying = carry(order, { ...options, line, gone: gone.signal }).catch((error: unknown) => {
      if (gone.signal.aborted) return undefined;
      if (!(error instanceof SignalboxError)) throw error;
      refuse({ failure: error.failure, exitCode: REFUSED });
      return undefined;
    });
    void carrying.then((open) => {
      there = open;
    });
  }

  function refuse({ failure, exitCode }: Pick<Extract<Order, { type: 'refused' }>, 'failure' | 'exitCode'>): void {
    visited.exitCode = exitCode;
    process.stderr.write(`signalbox-agent: ${failure.code}: ${failure.message}\n  ${failure.next}\n`);
    line.end();
  }

  line.send({ type: 'here' });
  if (end.aborted) onEnd();
  end.addEventListener('abort', onEnd);
  await line.closed;
  end.removeEventListener('abort', onEnd);
  gone.abort();
  const open = await carrying;
  open?.carrier.drop();
  await open?.bus.close();
  return visited;
}

interface Carrying {
  readonly bus: AgentBus;
  readonly carrier: Carrier;
}

async function carry(
  { key, mesh, host, servers, ca, jwt }: Extract<Order, { type: 'connect' }>,
  { signing, log, line, gone }: VisitOptions & { line: Line<ToSay>; gone: AbortSignal },
): Promise<Carrying> {
  const signer = createRemoteSigner({ ...signing, key, failed: (reason) => log('warn', 'no signature', { reason }) });
  const bus = await connectAgent({
    ...{ servers, mesh, host, ca, jwt, seed: () => signer, signal: gone, log },
    ...{ name: `agent ${host}`, version: VERSION, connectTimeoutMs: 0 },
  });
  const broken = (error: unknown) => {
    log('error', 'not everything is listened to', { reason: String(error) });
    line.end();
  };
  return { bus, carrier: createCarrier(bus, line, broken) };
}
