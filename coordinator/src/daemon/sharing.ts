import type { Member } from './members.ts';

/**
 * Who takes which of the runs that nobody leads: each goes to whoever has the fewest by then. All coordinators that see
 * the same come to the same answer without asking each other; when they do not see the same, the log lets one of them
 * through.
 */
export function dealOut(orphans: readonly string[], members: readonly Member[]): Map<string, string[]> {
  const hands = members.map(({ id, runs }) => ({ id, count: runs.length, dealt: [] as string[] }));
  for (const run of orphans.toSorted()) {
    const [poorest] = hands.toSorted((a, b) => a.count - b.count || (a.id < b.id ? -1 : 1));
    if (!poorest) break;
    poorest.count += 1;
    poorest.dealt.push(run);
  }
  return new Map(hands.map(({ id, dealt }) => [id, dealt]));
}
