import { setTimeout as delay } from 'node:timers/promises';
import { STREAMS } from '@signalbox/protocol';
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JetStreamManager, type JsMsg, nanos } from 'nats';
import { backoffMs } from './backoff.ts';
import type { CoordinatorContext } from './context.ts';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import { runToken, tokenAt } from './names.ts';
import type { IncomingReport, Unsubscribe } from './port.ts';
import { ACK_WAIT_MS } from './streams.ts';

const STREAM = STREAMS.reports;
/** Position of the host in `sb.<mesh>.report.<host>.<run>`. */
const HOST_TOKEN = 3;
/** A run that nobody has read for so long loses its place; it is then read from the start, which is harmless. */
const FORGOTTEN_AFTER_MS = 7 * 86_400_000;
/** Leaders that died before they had read a report leave no place; so many of them in a row are looked past. */
const LOOK_BACK = 20;
/** Half of this without a sign of life and the client asks anew: a server that restarted is noticed at once anyhow. */
const PULL_EXPIRES_MS = 10_000;
const RETRY_AFTER_MS = 1_000;

export interface ReportReading {
  readonly run: string;
  readonly epoch: number;
  readonly handler: (report: IncomingReport) => Promise<void>;
}

/**
 * The reports of a run, one after the other, in the order in which they were stored, each until it is acknowledged. The
 * place is kept by a durable consumer of the leadership's own, which begins where the one before it stopped: in a shared
 * one, what a sleeping leader had pulled would be withheld from the next until ACK_WAIT_MS is over.
 */
export async function openReports(
  context: CoordinatorContext,
  { run, epoch, handler }: ReportReading,
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
      const name = await makeConsumer(context, { run, epoch });
      const consumer = await context.js.consumers.get(STREAM, name);
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

async function makeConsumer(
  context: CoordinatorContext,
  { run, epoch }: Pick<ReportReading, 'run' | 'epoch'>,
): Promise<string> {
  const { jsm, subjects } = context;
  const name = consumerName(run, epoch);
  if (await placeOf(jsm, name)) return name;
  const before = await placeBefore(jsm, { run, epoch });
  await jsm.consumers.add(STREAM, {
    durable_name: name,
    filter_subject: subjects.reportsOfRun(run),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
    inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
    ...(before === undefined
      ? {}
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: before.acknowledged + 1 }),
  });
  if (before) await jsm.consumers.delete(STREAM, before.name).catch(() => {});
  return name;
}

interface Place {
  readonly name: string;
  /** Stream sequence up to which every report was acknowledged. */
  readonly acknowledged: number;
}

async function placeBefore(
  jsm: JetStreamManager,
  { run, epoch }: Pick<ReportReading, 'run' | 'epoch'>,
): Promise<Place | undefined> {
  for (let earlier = epoch - 1; earlier > 0 && earlier >= epoch - LOOK_BACK; earlier--) {
    const place = await placeOf(jsm, consumerName(run, earlier));
    if (place) return place;
  }
  return undefined;
}

async function placeOf(jsm: JetStreamManager, name: string): Promise<Place | undefined> {
  try {
    const { ack_floor: floor } = await jsm.consumers.info(STREAM, name);
    return { name, acknowledged: floor.stream_seq };
  } catch (error) {
    if (jsErrorNumber(error) === JS_ERROR.consumerNotFound) return undefined;
    throw error;
  }
}

function consumerName(run: string, epoch: number): string {
  return `${runToken(run)}=${epoch}`;
}

async function deliver(
  { link }: CoordinatorContext,
  { run, message, handler }: { run: string; message: JsMsg; handler: (report: IncomingReport) => Promise<void> },
): Promise<void> {
  const host = tokenAt(message.subject, HOST_TOKEN);
  try {
    // Late or lost, it does no harm: the report then comes once more.
    await handler({ host, run, data: message.data, ack: () => link.later(() => message.ack()) });
  } catch (error) {
    link.log('error', 'handling a report failed; it comes again', { run, host, error: String(error) });
    if (link.connected) message.nak(RETRY_AFTER_MS);
  }
}
