import type { Json } from '../json.ts';

/**
 * Parses JSON without rounding: an integer that a double cannot hold comes back as its decimal text. Block heights and
 * offsets are 64-bit, and a rounded height compares wrong.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson64(text: string): Json {
  const tokens = /"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const quoted = text.replace(tokens, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
  return JSON.parse(quoted) as Json;
}

/** A 64-bit count as a value: a number where that is exact, else decimal text. Undefined when it is neither. */
export function count64(value: Json | undefined): number | string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
