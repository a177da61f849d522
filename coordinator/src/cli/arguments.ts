import {
  type Condition,
  type HostName,
  type JsonObject,
  OPERATORS,
  type Operator,
  parseDuration,
} from '@signalbox/protocol';
import { cliError } from './codes.ts';

/** @throws SB-CLI-USAGE */
export function durationOf(text: string, option: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw cliError('SB-CLI-USAGE', `${option}: ${text} is no duration such as 30s, 20m or 1h30m`);
  return ms;
}

/** `k=v`, split at the first `=`. @throws SB-CLI-USAGE */
export function pairOf(text: string, option: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw cliError('SB-CLI-USAGE', `${option}: ${text} is not of the form name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `-p k=v` given any number of times; the last word on a name counts. */
export function pairsOf(texts: readonly string[] | undefined, option: string): Record<string, string> {
  return Object.fromEntries((texts ?? []).map((text) => pairOf(text, option)));
}

/** Values as text are read as the scalars that they look like, objects by dotted names: `unit=x`, `timeout=5`. */
export function withOf(texts: readonly string[] | undefined): JsonObject {
  const given = Object.entries(pairsOf(texts, '--with'));
  return Object.fromEntries(given.map(([key, value]) => [key, scalarOf(value)]));
}

/** `lagSeconds.atMost=0`, any number of them; all must hold. @throws SB-CLI-USAGE */
export function conditionOf(texts: readonly string[], option: string): Condition {
  const condition: Condition = {};
  for (const text of texts) {
    const [path, value] = pairOf(text, option);
    const at = path.lastIndexOf('.');
    const operator = operatorOf(path.slice(at + 1));
    if (at <= 0 || operator === undefined) {
      const known = OPERATORS.join(', ');
      throw cliError('SB-CLI-USAGE', `${option}: ${text} is not of the form value.operator=want; operators: ${known}`);
    }
    const key = path.slice(0, at);
    condition[key] = { ...condition[key], [operator]: operator === 'in' ? value.split(',') : scalarOf(value) };
  }
  return condition;
}

function operatorOf(text: string): Operator | undefined {
  return OPERATORS.find((operator) => operator === text);
}

function scalarOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  // Whole numbers that a double would round stay text; the comparison reads both.
  return /^-?\d+(\.\d+)?$/.test(text) && Number.isSafeInteger(Math.trunc(Number(text))) ? Number(text) : text;
}

/** The name of a host, an operator or a mesh. @throws SB-CLI-USAGE, saying what is wrong with it. */
export function nameOf(schema: typeof HostName, value: string, what: string): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw cliError('SB-CLI-USAGE', `${what} ${value}: ${parsed.error.issues[0]?.message}`);
}
