import { type Condition, isJsonObject, type Json, type JsonObject, valueAt } from '@signalbox/protocol';
import { cellKey } from './cell.ts';
import { sequencerError } from './codes.ts';
import type { RunState } from './state.ts';

/**
 * Fills in what only the run knows: references to receipts and values of earlier steps, the run's id.
 * @throws SB-REFERENCE when the earlier step did not return what is named.
 */
export function resolveObject(state: RunState, value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveValue(state, inner)]));
}

export function resolveCondition(state: RunState, condition: Condition): Condition {
  return Object.fromEntries(
    Object.entries(condition).map(([key, operators]) => [
      key,
      Object.fromEntries(Object.entries(operators).map(([op, want]) => [op, resolveValue(state, want as Json)])),
    ]),
  );
}

function resolveValue(state: RunState, value: Json): Json {
  if (Array.isArray(value)) return value.map((inner) => resolveValue(state, inner));
  if (!isJsonObject(value)) return value;
  if (typeof value.$step === 'string') return stepValue(state, value);
  if (value.$run === 'id') return state.run;
  if (Array.isArray(value.$join)) return value.$join.map((part) => textOf(resolveValue(state, part))).join('');
  return resolveObject(state, value);
}

function stepValue(state: RunState, reference: JsonObject): Json {
  const step = String(reference.$step);
  const host = typeof reference.host === 'string' ? reference.host : null;
  const path = Array.isArray(reference.path) ? reference.path.map(String).join('.') : '';
  const cell = state.cells.get(cellKey(step, host));
  const source = reference.from === 'receipt' ? { ...cell?.before, ...cell?.receipt } : (cell?.values ?? {});
  const found = valueAt(source, path);
  if (found === undefined) {
    const at = host === null ? '' : ` on ${host}`;
    throw sequencerError('SB-REFERENCE', `steps.${step}.${String(reference.from)}.${path}${at} has no value`);
  }
  return found;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
