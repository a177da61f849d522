import { isJsonObject, type Json, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { RunbookShape, StepsShape } from './runbook.ts';
import { KINDS } from './step.ts';

/** The published JSON Schema of a runbook: what editors complete and check with, and what `parseRunbook` reads by. */
export function runbookJsonSchema(): JsonObject {
  return {
    ...document(RunbookShape),
    $id: 'https://signalbox.dev/schema/runbook.v1.json',
    title: 'Signalbox runbook',
  };
}

/** The schema of a file that `include` reads. */
export function stepsJsonSchema(): JsonObject {
  return document(StepsShape);
}

function document(shape: z.ZodType): JsonObject {
  const schema = JsonObject.parse(JSON.parse(JSON.stringify(z.toJSONSchema(shape, { io: 'input' }))));
  const definitions = isJsonObject(schema.$defs) ? schema.$defs : {};
  const step = isJsonObject(definitions.Step) ? definitions.Step : {};
  // Zod has no word for it; editors should know that a step has exactly one kind.
  const oneOf: Json[] = KINDS.map((kind) => ({ required: [kind] }));
  return { ...schema, $defs: { ...definitions, Step: { ...step, oneOf } } };
}
