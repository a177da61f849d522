import { AuditEntry } from '@signalbox/protocol';
import { open, sha256 } from '@signalbox/protocol/crypto';
import { cliError } from '../cli/codes.ts';

/** An unbroken piece of what one coordinator has kept in one lane. */
export interface AuditChain {
  readonly coordinator: string;
  readonly lane: AuditEntry['lane'];
  readonly from: number;
  readonly to: number;
}

/**
 * Proves what coordinators say they were asked: each entry is sealed by a coordinator that is trusted, and names the one before
 * it. Where a chain begins in the middle, what was before is older than what was asked for, or no longer kept; that something is missing
 * at its very end cannot be seen.
 * @throws SB-CLI-VERIFY-AUDIT
 */
export function provenRequests(
  texts: readonly string[],
  trusts: (publicKey: string) => boolean,
): { entries: AuditEntry[]; chains: AuditChain[] } {
  const chains = new Map<string, AuditChain & { hash: string }>();
  const entries = texts.map((text) => {
    const entry = entryOf(text, trusts);
    const { coordinator, lane, index, previous } = entry;
    const name = `${coordinator} ${lane}`;
    const before = chains.get(name);
    if (before && (before.to + 1 !== index || before.hash !== previous)) {
      const what = `of ${coordinator}, ${lane}, ${index} does not follow ${before.to}`;
      throw cliError('SB-CLI-VERIFY-AUDIT', `${what}: something was changed, taken out or put in`);
    }
    chains.set(name, { coordinator, lane, from: before?.from ?? index, to: index, hash: sha256(text) });
    return entry;
  });
  return { entries, chains: [...chains.values()].map(({ hash: _, ...chain }) => chain) };
}

function entryOf(text: string, trusts: (publicKey: string) => boolean): AuditEntry {
  try {
    return open(Buffer.from(text), { kind: 'audit', schema: AuditEntry, trusts }).payload;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw cliError('SB-CLI-VERIFY-AUDIT', why, { cause });
  }
}
