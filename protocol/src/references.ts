import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** What an earlier step returned, or measured, that is to be filled in. `host` is null where the step has none. */
export interface StepReference {
  readonly step: string;
  readonly host: string | null;
  readonly from: 'receipt' | 'values';
  /** Dotted. */
  readonly path: string;
}

/** What only the run knows. */
export interface Known {
  readonly run: string;
  valueOf(reference: StepReference): Json;
}

/** Fills in what only the run knows: references to receipts and values of earlier steps, the run's id (`Reference`). */
export function fillIn(value: Json, known: Known): Json {
  if (Array.isArray(value)) return value.map((inner) => fillIn(inner, known));
  if (!isJsonObject(value)) return value;
  const reference = referenceIn(value);
  if (reference) return known.valueOf(reference);
  if (value.$run === 'id') return known.run;
  if (Array.isArray(value.$join)) return value.$join.map((part) => textOf(fillIn(part, known))).join('');
  return fillInObject(value, known);
}

export function fillInObject(value: JsonObject, known: Known): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillIn(inner, known)]));
}

/** Every reference to an earlier step inside, as often as it stands there. */
export function referencesIn(value: Json): StepReference[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isJsonObject(value)) return [];
  const reference = referenceIn(value);
  return reference ? [reference] : Object.values(value).flatMap(referencesIn);
}

function referenceIn(value: JsonObject): StepReference | undefined {
  if (typeof value.$step !== 'string') return undefined;
  return {
    step: value.$step,
    host: typeof value.host === 'string' ? value.host : null,
    from: value.from === 'receipt' ? 'receipt' : 'values',
    path: Array.isArray(value.path) ? value.path.map(String).join('.') : '',
  };
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
