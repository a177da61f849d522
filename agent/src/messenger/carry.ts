import type { AgentBus, Delivery } from '@signalbox/bus';
import { toFailure } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import { type Lane, type Line, type Order, type ToSay, textOf } from './wire.ts';

/** Deliveries that nobody has decided on. What was given up comes again from the stream. */
const KEPT = 4_096;

export interface Carrier {
  take(order: Order): void;
  /** The runner is gone: nobody will say what becomes of what it was brought. */
  drop(): void;
}

interface Brought {
  delivery: Delivery;
  over: (error?: Error) => void;
}

interface Asked {
  answer: (data: Uint8Array) => void;
  fail: (why: Error) => void;
}

/**
 * Carries bytes between the mesh and the runner. It reads none of them, and what it changes is found out by the signature.
 * @param broken something could not be listened to.
 */
export function createCarrier(bus: AgentBus, line: Line<ToSay>, broken: (error: unknown) => void): Carrier {
  const brought = new Map<number, Brought>();
  const asked = new Map<number, Asked>();
  let numbers = 0;
  let listening = Promise.resolve<unknown>(undefined);
  bus.onConnection((connected) => line.send({ type: 'connected', connected }));

  const bring = (lane: Lane) => (delivery: Delivery) => {
    numbers += 1;
    const n = numbers;
    const { id, data } = delivery;
    return new Promise<void>((resolve, reject) => {
      for (const old of brought.keys()) if (brought.size >= KEPT) brought.delete(old);
      brought.set(n, { delivery, over: (error) => (error ? reject(error) : resolve()) });
      line.send({ type: 'delivery', lane, n, id, data: textOf(data) });
    });
  };

  const question = (verb: string) => (data: Uint8Array) => {
    numbers += 1;
    const n = numbers;
    return new Promise<Uint8Array>((answer, fail) => {
      asked.set(n, { answer, fail });
      line.send({ type: 'query', verb, n, data: textOf(data) });
    });
  };

  /** One after the other: controls are listened to before commands. */
  function listen(begin: () => Promise<unknown>): void {
    listening = listening.then(begin).catch(broken);
  }

  function settle({ n, verdict }: Extract<Order, { type: 'settle' }>): void {
    const one = brought.get(n);
    // What was handled may be acknowledged later: it waits with another of the same command.
    if (verdict !== 'working' && verdict !== 'handled') brought.delete(n);
    if (verdict === 'handled') one?.over();
    else if (verdict === 'threw') one?.over(new Error('the runner could not take it'));
    else one?.delivery[verdict]();
  }

  function reply({ n, ...said }: Extract<Order, { type: 'answer' | 'unanswered' }>): void {
    const one = asked.get(n);
    asked.delete(n);
    if (said.type === 'answer') one?.answer(bytesOf(said.data));
    else one?.fail(new Error(said.why));
  }

  function tell(n: number, doing: Promise<Uint8Array | undefined>): void {
    doing.then(
      (data) => line.send({ type: 'done', n, ...(data && { data: textOf(data) }) }),
      (error: unknown) => line.send({ type: 'done', n, failure: toFailure(error, FAILED) }),
    );
  }

  function take(order: Order): void {
    if (order.type === 'listen') listen(() => bus[order.lane](bring(order.lane)));
    else if (order.type === 'serve') listen(() => bus.answer(order.verb, question(order.verb)));
    else if (order.type === 'settle') settle(order);
    else if (order.type === 'answer' || order.type === 'unanswered') reply(order);
    else if (order.type === 'report') tell(order.n, report(order));
    else if (order.type === 'beat') tell(order.n, bus.beat(bytesOf(order.data)));
    else if (order.type === 'output') bus.output(order.chunk, bytesOf(order.data));
  }

  async function report({ run, data }: Extract<Order, { type: 'report' }>): Promise<undefined> {
    await bus.report(run, bytesOf(data));
  }

  return {
    take,
    drop() {
      const error = new Error('the runner is gone');
      for (const { over } of brought.values()) over(error);
      for (const { fail } of asked.values()) fail(error);
      brought.clear();
      asked.clear();
    },
  };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');

const FAILED = agentError('SB-AGENT-MESSENGER', 'it could not be sent').failure;
