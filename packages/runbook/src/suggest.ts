/** `did you mean` for a word that is nearly one of the known ones; undefined when none is near. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  const limit = Math.max(1, Math.floor(word.length / 3));
  for (const name of known) {
    if (Math.abs(name.length - word.length) > limit || word.length > 64) continue;
    const d = distance(word.toLowerCase(), name.toLowerCase());
    if (d <= limit && (!best || d < best.distance)) best = { name, distance: d };
  }
  return best?.name;
}

/** The hint of a finding about an unknown word: the nearest known one, or all of them when they are few. */
export function hintFor(word: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const near = suggest(word, names);
  if (near) return `Did you mean \`${near}\`?`;
  if (names.length > 0 && names.length <= 12) return `Known here: ${names.map((n) => `\`${n}\``).join(', ')}.`;
  return undefined;
}

/** Edits from one word to the other, where two letters in the wrong order count as one. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const replace = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, replace);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j] ?? 0, at(i - 2, j - 2) + 1);
    }
  }
  return at(a.length, b.length);
}
