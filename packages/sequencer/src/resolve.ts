import {
  type Condition,
  fillIn,
  fillInObject,
  type Json,
  type JsonObject,
  type Known,
  type StepReference,
  valueAt,
} from '@signalbox/protocol';
import { cellKey } from './cell.ts';
import { sequencerError } from './codes.ts';
import type { RunState } from './state.ts';

/**
 * Fills in what only the run knows: references to receipts and values of earlier steps, the run's id.
 * @throws SB-REFERENCE when the earlier step did not return what is named.
 */
export function resolveObject(state: RunState, value: JsonObject): JsonObject {
  return fillInObject(value, knownBy(state));
}

export function resolveCondition(state: RunState, condition: Condition): Condition {
  const known = knownBy(state);
  return Object.fromEntries(
    Object.entries(condition).map(([key, operators]) => [
      key,
      Object.fromEntries(Object.entries(operators).map(([op, want]) => [op, fillIn(want as Json, known)])),
    ]),
  );
}

function knownBy(state: RunState): Known {
  return { run: state.run, valueOf: (reference) => stepValue(state, reference) };
}

function stepValue(state: RunState, { step, host, from, path }: StepReference): Json {
  const cell = state.cells.get(cellKey(step, host));
  const source = from === 'receipt' ? { ...cell?.before, ...cell?.receipt } : (cell?.values ?? {});
  const found = valueAt(source, path);
  if (found === undefined) {
    const at = host === null ? '' : ` on ${host}`;
    throw sequencerError('SB-REFERENCE', `steps.${step}.${from}.${path}${at} has no value`);
  }
  return found;
}
