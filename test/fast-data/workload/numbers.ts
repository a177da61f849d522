import type { LedgerLine } from './ledger.ts';

/** Who reads says after so many how far it is: what it reads again when it is cut off is not more. */
export const COMMIT_EVERY = 25;

/** Messages are numbered `WHO/17`. Four keys each, so that order is that of a key and not of everything. */
export function keyOf(n: string): string {
  const [who = '', i] = n.split('/');
  return `${who}/${Number(i) % 4}`;
}

export interface Passed {
  /** Written by producers, and acknowledged where they are. */
  written: number;
  /** Written, and not in the view. */
  lost: string[];
  /** In the view more than once. */
  duplicated: string[];
  /** In the view after a later one of the same key. */
  disordered: string[];
}

/** Compares what producers have written with what has come out at the other end. */
export function countPassed(written: readonly LedgerLine[], view: readonly LedgerLine[]): Passed {
  const seen = new Map<string, number>();
  const newest = new Map<string, number>();
  const disordered: string[] = [];
  for (const { n } of view) {
    const times = (seen.get(n) ?? 0) + 1;
    seen.set(n, times);
    const [key, i] = [keyOf(n), Number(n.split('/')[1])];
    // Read again is not out of order: an update that comes a second time changes nothing.
    if (times === 1 && i < (newest.get(key) ?? -1)) disordered.push(n);
    newest.set(key, Math.max(i, newest.get(key) ?? -1));
  }
  return {
    written: written.length,
    lost: written.filter(({ n }) => !seen.has(n)).map(({ n }) => n),
    duplicated: [...seen].filter(([, times]) => times > 1).map(([n]) => n),
    disordered,
  };
}

/**
 * Of those that came out twice: who is the first on their way to have written or read them again. Told by where they lay:
 * whatever lies in two places was written twice.
 */
export function repeatedBy(
  duplicated: readonly string[],
  { updates, view }: { updates: readonly LedgerLine[]; view: readonly LedgerLine[] },
): Record<'producers' | 'updater' | 'view', string[]> {
  const [came, went] = [placesOf(updates), placesOf(view)];
  const lay = (places: ReadonlyMap<string, ReadonlySet<string>>, n: string) => places.get(n)?.size ?? 0;
  const producers = duplicated.filter((n) => lay(came, n) > 1);
  const updater = duplicated.filter((n) => lay(came, n) <= 1 && lay(went, n) > 1);
  return { producers, updater, view: duplicated.filter((n) => lay(came, n) <= 1 && lay(went, n) <= 1) };
}

function placesOf(lines: readonly LedgerLine[]): Map<string, Set<string>> {
  const places = new Map<string, Set<string>>();
  for (const { n, place = '' } of lines) places.set(n, (places.get(n) ?? new Set()).add(place));
  return places;
}
