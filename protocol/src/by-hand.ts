import { isJsonObject, type Json, type JsonObject } from './json.ts';

const FIELD = /\{([A-Za-z0-9_.$-]+)\}/g;
const OPTIONAL = /\[([^[\]]*)\]/g;
const FILE = 'file:';

/**
 * The command line of an action's `byHand`, for a person to type on the host: `{field}` is a word of `with`,
 * `{receipt.field}` one of what the step kept, and `[...]` is left out where what it names was not given. Undefined when
 * something is not known, for half a command is worse than none. Whatever the values are, each is one word to the shell.
 */
export function commandByHand(template: string, input: JsonObject, receipt: JsonObject): string | undefined {
  const values = { ...input, receipt };
  const fill = (text: string): string | undefined => {
    let whole = true;
    const filled = text.replace(FIELD, (_, path: string) => {
      const words = wordsOf(at(values, path));
      if (words === undefined) whole = false;
      return words ?? '';
    });
    return whole ? filled : undefined;
  };
  // In one pass over the template: a value that looks like a part of it stays a value.
  const parts = template.split(OPTIONAL).map((part, i) => (i % 2 === 1 ? (fill(part) ?? '') : fill(part)));
  if (parts.includes(undefined)) return undefined;
  return parts.join('');
}

function at(value: Json, path: string): Json | undefined {
  let current: Json | undefined = value;
  for (const key of path.split('.')) {
    if (current === undefined || !isJsonObject(current)) return undefined;
    current = Object.hasOwn(current, key) ? current[key] : undefined;
  }
  return current;
}

function wordsOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value)) return value.map((one) => wordsOf(one) ?? "''").join(' ');
  if (typeof value !== 'object') return shellWord(String(value));
  const { $secret } = value;
  // A reference to a file names a path; what other references name is for nobody's eyes.
  return typeof $secret === 'string' && $secret.startsWith(FILE) ? shellWord($secret.slice(FILE.length)) : undefined;
}

/** One word to a POSIX shell, whatever is in it. */
function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
