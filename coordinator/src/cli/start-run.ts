import { DEFAULTS, type Failure, type ReplyBody, type RequestBody, SignalboxError } from '@signalbox/protocol';
import type { MeshClient } from './client.ts';
import { isAway } from './errors.ts';

/** Every host is looked at again before anything begins, all at once. */
const START_MS = DEFAULTS.checkTimeoutMs + 10_000;
const TRIES = 3;

/**
 * Signs a plan and starts its run, and asks again when nobody answers: the start id makes it one run, however often it is said. While another
 * run has what this one wants, `onBusy` is called and the same start is said again; without it, that is an error.
 * @throws what the coordinator refused with; when nobody has answered, how to say the same again.
 */
export async function startRun(
  client: MeshClient,
  wanted: Omit<RequestBody<'start'>, 'signed'>,
  { onBusy }: { onBusy?: ((failure: Failure) => Promise<void>) | undefined } = {},
): Promise<ReplyBody<'start'>> {
  const signed = client.sign(wanted.plan, wanted.start);
  const body = { ...wanted, ...(signed === undefined ? {} : { signed }) };
  for (let left = TRIES - 1; ; left--) {
    try {
      return await client.ask('start', body, START_MS);
    } catch (error) {
      if (onBusy && error instanceof SignalboxError && error.code === 'SB-COORD-BUSY') {
        await onBusy(error.failure);
        left = TRIES;
        continue;
      }
      if (!isAway(error) || !(error instanceof SignalboxError)) throw error;
      if (left > 0) continue;
      const next = `It may have begun: \`signalbox runs\` shows it. Said again with --start-id ${body.start}, it is the same start.`;
      throw new SignalboxError({ ...error.failure, next }, { cause: error });
    }
  }
}
