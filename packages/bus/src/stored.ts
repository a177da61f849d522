import type { JetStreamManager } from 'nats';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import type { StoredEntry } from './port.ts';

/** The last message of a subject, from the stream's leader: a replica may lag behind. */
export async function lastOn(jsm: JetStreamManager, stream: string, subject: string): Promise<StoredEntry | undefined> {
  try {
    const { seq, data } = await jsm.streams.getMessage(stream, { last_by_subj: subject });
    return { sequence: seq, data };
  } catch (error) {
    if (jsErrorNumber(error) === JS_ERROR.noMessage) return undefined;
    throw error;
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
