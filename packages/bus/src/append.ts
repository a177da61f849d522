import { busError } from './codes.ts';
import type { CoordinatorContext } from './context.ts';
import { isTimeout, JS_ERROR, jsErrorNumber } from './errors.ts';
import { lastOn, sameBytes } from './stored.ts';

const APPEND_TIMEOUT_MS = 5_000;

export interface Place {
  readonly stream: string;
  readonly subject: string;
  /** For people: what is written to. */
  readonly what: string;
}

/**
 * Appends to a subject of a stream by compare-and-set on its last sequence (0: the first message). A lost acknowledgement of
 * one's own append is recognised by reading the last message and is no conflict.
 * @throws SB-BUS-TIMEOUT when it cannot be said whether it is stored.
 */
export async function appendTo(
  { link, js, jsm }: CoordinatorContext,
  { stream, subject, what }: Place,
  data: Uint8Array,
  expectedSequence: number,
): Promise<{ sequence: number } | 'conflict'> {
  const publish = async () => {
    try {
      const { seq } = await js.publish(subject, data, {
        expect: { lastSubjectSequence: expectedSequence },
        timeout: APPEND_TIMEOUT_MS,
      });
      return { sequence: seq };
    } catch (error) {
      if (jsErrorNumber(error) === JS_ERROR.wrongLastSequence) return 'taken';
      if (isTimeout(error)) return 'unanswered';
      throw error;
    }
  };
  const outcome = await link.exchange(`appending to ${what}`, publish).catch((error: unknown) => {
    if (codeOf(error) === 'SB-BUS-TIMEOUT') return 'unanswered' as const;
    throw error;
  });
  if (typeof outcome === 'object') return outcome;

  // Somebody was first, or it was this very append whose acknowledgement was lost: the bytes tell.
  const last = () => link.exchange(`reading the end of ${what}`, () => lastOn(jsm, stream, subject));
  const found = await last().catch((cause: unknown) => {
    if (outcome === 'taken') throw cause;
    throw busError('SB-BUS-TIMEOUT', `appending to ${what} was not answered, and the log cannot be read`, { cause });
  });
  if (found && found.sequence > expectedSequence) {
    return sameBytes(found.data, data) ? { sequence: found.sequence } : 'conflict';
  }
  if (outcome === 'taken') return 'conflict';
  throw busError('SB-BUS-TIMEOUT', `appending to ${what} was not answered, and it is not in the log yet`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
