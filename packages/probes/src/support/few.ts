const SHOWN = 20;

/** Names as one line for a person; of many, the first of them and how many there are besides. */
export function few(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
