import { DEFAULTS, type HoldReason } from '@signalbox/protocol';
import { type Cell, cellOfReason } from '@signalbox/sequencer';
import type { RunInput } from './model.ts';

/** An outcome that nobody knows and that its host will tell without being asked by anybody. */
export interface Awaited {
  readonly host: string;
  /** The host is heard again since then, and says by `byMs` what became of it. Absent: it is away. */
  readonly back?: { readonly sinceMs: number; readonly byMs: number };
}

/**
 * What a reason of a hold waits for. Undefined when it needs a person: its host has said that it cannot tell, or has not
 * said anything in its time.
 */
export function awaitedFor(input: RunInput, reason: HoldReason): Awaited | undefined {
  const { state, nowMs } = input;
  const cell = cellOfReason(state, reason);
  if (reason.cause !== 'unknown' || cell?.work?.kind !== 'command' || cell.probed !== undefined) return undefined;
  const { host, work } = cell;
  if (host === null) return undefined;
  if (state.silent.has(host)) return { host };
  const sinceMs = backSince(input, host, cell);
  if (sinceMs === undefined) return undefined;
  // As long as after the command was sent: it may have reached the host in the last moment.
  const byMs = sinceMs + DEFAULTS.commandTtlMs + work.timeoutMs + DEFAULTS.silenceSlackMs;
  return nowMs < byMs ? { host, back: { sinceMs, byMs } } : undefined;
}

/** When the host was heard again since the outcome is unknown. */
function backSince({ entries }: RunInput, host: string, { endedAtMs = 0 }: Cell): number | undefined {
  return entries.findLast(
    ({ atMs, events }) => atMs >= endedAtMs && events.some((event) => event.type === 'HostBack' && event.host === host),
  )?.atMs;
}
