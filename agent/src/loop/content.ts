import type { Command, Json } from '@signalbox/protocol';
import { isJsonObject } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';

/**
 * Fingerprint of what a command asks for. Who leads (epoch, nonce, head) and when it was sent are not part of it: a new
 * leader asks for the same thing under its own name, and that is the same command [I1].
 */
export function contentOf(command: Command): string {
  const { run, step, host, direction, attempt, planHash, notAfterMs, timeoutMs, action, version } = command;
  const asked = { run, step, host, direction, attempt, planHash, notAfterMs, timeoutMs, action, version };
  const { crossing } = command;
  const behind = crossing === undefined ? {} : { crossing };
  return sha256(canonical({ ...asked, ...behind, with: command.with, receipt: command.receipt ?? null }));
}

/** JSON with sorted keys: the same value always gives the same text. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner: Json) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
