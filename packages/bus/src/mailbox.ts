import { STREAMS } from '@signalbox/protocol';
import { headers } from 'nats';
import { busError } from './codes.ts';
import type { CoordinatorContext } from './context.ts';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import { hostToken, idToken } from './names.ts';
import type { CoordinatorBus } from './port.ts';
import { lastOn, sameBytes } from './stored.ts';

type Mailbox = Pick<CoordinatorBus, 'sendCommand' | 'sendControl'>;

/**
 * Commands and controls to hosts. Each has a subject of its own and is published as that subject's first message, so a
 * second one under the same id is noticed as long as the first is kept; message ids are deduplicated for minutes only.
 */
export function mailbox({ link, js, jsm, subjects }: CoordinatorContext): Mailbox {
  const sendOnce = async (stream: string, subject: string, data: Uint8Array, ttlMs?: number) => {
    await link.exchange(`sending ${subject}`, async () => {
      try {
        await js.publish(subject, data, {
          expect: { lastSubjectSequence: 0 },
          ...(ttlMs === undefined ? {} : { headers: timeToLive(ttlMs) }),
        });
      } catch (error) {
        if (jsErrorNumber(error) !== JS_ERROR.wrongLastSequence) throw error;
        const stored = await lastOn(jsm, stream, subject);
        // Gone between the two: it has expired, and would not be started any more.
        if (!stored || sameBytes(stored.data, data)) return;
        throw busError('SB-BUS-ID-CONFLICT', `${subject} is stored already, with other content`);
      }
    });
  };
  return {
    sendCommand: (host, id, data, ttlMs) =>
      sendOnce(STREAMS.commands, subjects.command(hostToken(host), idToken(id)), data, ttlMs),
    sendControl: (host, id, data) => sendOnce(STREAMS.controls, subjects.control(hostToken(host), idToken(id)), data),
  };
}

/** Whole seconds, at least one (source: NATS ADR-43). Made anew each time: publishing changes the object. */
function timeToLive(ttlMs: number) {
  const set = headers();
  set.set('Nats-TTL', `${Math.max(1, Math.ceil(ttlMs / 1_000))}s`);
  return set;
}
