import { setTimeout as delay } from 'node:timers/promises';
import { STREAMS } from '@signalbox/protocol';
import { AckPolicy, type ConsumerMessages, type JsMsg, nanos } from 'nats';
import { backoffMs } from './backoff.ts';
import type { CoordinatorContext } from './context.ts';
import { runToken, tokenAt } from './names.ts';
import type { IncomingReport, Unsubscribe } from './port.ts';
import { ACK_WAIT_MS } from './streams.ts';

const STREAM = STREAMS.reports;
/** Position of the host in `sb.<mesh>.report.<host>.<run>`. */
const HOST_TOKEN = 3;
/** A run that nobody has read for so long loses its place; it is then read from the start, which is harmless. */
const FORGOTTEN_AFTER_MS = 7 * 86_400_000;
/** Half of this without a sign of life and the client asks anew: a server that restarted is noticed at once anyhow. */
const PULL_EXPIRES_MS = 10_000;
const RETRY_AFTER_MS = 1_000;

/**
 * The reports of a run, one after the other, in the order in which they were stored, each until it is acknowledged. The
 * place is kept by a durable consumer named after the run, so the next leader goes on where this one stopped.
 */
export async function openReports(
  context: CoordinatorContext,
  run: string,
  handler: (report: IncomingReport) => Promise<void>,
): Promise<Unsubscribe> {
  const { link } = context;
  let stopped = false;
  let messages: ConsumerMessages | undefined;
  const stop = () => {
    stopped = true;
    messages?.stop();
  };
  link.onClose(stop);

  const open = async () =>
    await link.exchange(`reading reports of ${run}`, async () => {
      await makeConsumer(context, run);
      const consumer = await context.js.consumers.get(STREAM, run);
      return await consumer.consume({ max_messages: 100, expires: PULL_EXPIRES_MS });
    });
  const drain = async () => {
    for await (const message of messages ?? []) {
      if (stopped) return;
      await deliver(context, { run, message, handler });
    }
  };
  /** The iterator ends, or throws, when its consumer is gone; it is made again for as long as somebody listens. */
  const pump = async () => {
    for (let failures = 0; !stopped && !link.closed; ) {
      try {
        messages ??= await open();
        failures = 0;
        await drain();
      } catch (error) {
        link.log('warn', 'reading reports was interrupted', { run, error: String(error) });
        await delay(backoffMs(failures++));
      }
      messages = undefined;
    }
  };

  messages = await open();
  void pump();
  return async () => stop();
}

async function makeConsumer({ jsm, subjects }: CoordinatorContext, run: string): Promise<void> {
  await jsm.consumers.add(STREAM, {
    durable_name: runToken(run),
    filter_subject: subjects.reportsOfRun(run),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
    inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
  });
}

async function deliver(
  { link }: CoordinatorContext,
  { run, message, handler }: { run: string; message: JsMsg; handler: (report: IncomingReport) => Promise<void> },
): Promise<void> {
  const host = tokenAt(message.subject, HOST_TOKEN);
  try {
    await handler({ host, run, data: message.data, ack: () => link.connected && message.ack() });
  } catch (error) {
    link.log('error', 'handling a report failed; it comes again', { run, host, error: String(error) });
    if (link.connected) message.nak(RETRY_AFTER_MS);
  }
}
