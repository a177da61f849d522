import type { ActionSpec, Condition, Json, JsonObject, Operator, ProbeSpec, ValueSpec } from '@signalbox/protocol';
import { isJsonObject, OPERATORS, SECRET_PATTERN } from '@signalbox/protocol';
import type { Report } from './diagnostic.ts';
import { entriesOf, get, type MapNode, type Node } from './node.ts';
import { readNode } from './read-node.ts';
import { hintFor } from './suggest.ts';

/** Reads `with` by the schema of its action or probe. `references`: text with `${` is not judged yet. */
export function readWith(
  node: MapNode,
  spec: Pick<ActionSpec | ProbeSpec, 'input' | 'secrets' | 'name'>,
  { report, references }: { report: Report; references: boolean },
): JsonObject {
  // A schema that says nothing about other keys is still no place for misspelt ones.
  const schema = { ...spec.input, additionalProperties: spec.input.additionalProperties ?? false };
  const value = readNode(secretsAsReferences(node, spec.secrets, report), schema, {
    report,
    codes: { unknown: 'SB203', missing: 'SB204', wrong: 'SB205' },
    noun: `parameter of \`${spec.name}\``,
    references,
  });
  return isJsonObject(value) ? value : {};
}

const SECRET_REFERENCE = new RegExp(SECRET_PATTERN);

/** `password: file:/etc/x` in a field that takes secrets is the reference; other text there would be the secret itself. */
function secretsAsReferences(node: MapNode, fields: readonly string[], report: Report): MapNode {
  const entries = new Map(node.entries);
  for (const field of fields) {
    const entry = entries.get(field);
    if (!entry) continue;
    const written = get(entry.value, '$secret') ?? entry.value;
    if (written.kind !== 'scalar' || written.text.includes('${')) continue;
    if (SECRET_REFERENCE.test(written.text)) {
      const value: Node = { kind: 'reference', at: written.at, value: { $secret: written.text } };
      entries.set(field, { key: entry.key, value });
    } else
      report('SB211', written.at, { message: `\`${field}\` takes a secret, and this is its value or no reference.` });
  }
  return { ...node, entries };
}

/** Reads `until` and `failIf`: known values of the probe, compared with what can be compared. */
export function readCondition(
  node: Node | undefined,
  probe: ProbeSpec,
  { report, references }: { report: Report; references: boolean },
): Condition {
  const condition: Condition = {};
  for (const [name, { key, value }] of entriesOf(node)) {
    const spec = valueSpecOf(probe, name);
    if (!spec && !probe.open) {
      const message = `\`${probe.name}\` has no value \`${name}\`.`;
      report('SB216', key, { message, hint: hintFor(name, Object.keys(probe.values)) });
      continue;
    }
    condition[name] = readOperators(value, spec, { report, references });
  }
  return condition;
}

/** A value of a probe by name; a dotted name reaches into an object. */
export function valueSpecOf(probe: ProbeSpec, name: string): ValueSpec | undefined {
  const known = Object.hasOwn(probe.values, name) ? probe.values[name] : undefined;
  if (known) return known;
  const [first = '', ...rest] = name.split('.');
  const outer = Object.hasOwn(probe.values, first) ? probe.values[first] : undefined;
  return rest.length > 0 && outer?.type === 'object' ? { type: 'object', help: outer.help } : undefined;
}

function readOperators(
  node: Node,
  spec: ValueSpec | undefined,
  { report, references }: { report: Report; references: boolean },
): Partial<Record<Operator, Json>> {
  const out: Partial<Record<Operator, Json>> = {};
  for (const [name, { value }] of entriesOf(node)) {
    const op = OPERATORS.find((known) => known === name);
    if (!op) continue;
    out[op] = readOperand(op, value, { spec, report, references });
  }
  return out;
}

const NUMBER: JsonObject = {
  title: 'a number',
  anyOf: [{ type: 'number' }, { type: 'string', pattern: '^-?\\d+$' }],
};
const FLAG: JsonObject = { type: 'boolean', title: 'true or false' };

function readOperand(
  op: Operator,
  value: Node,
  { spec, report, references }: { spec: ValueSpec | undefined; report: Report; references: boolean },
): Json {
  const options = {
    report,
    codes: { unknown: 'SB205', missing: 'SB205', wrong: 'SB205' } as const,
    noun: 'key',
    references,
  };
  const type = spec ? typeOf(spec) : {};
  if (op === 'equals') return readNode(value, type, options);
  if (op === 'in') return readNode(value, { type: 'array', title: 'a list', items: type }, options);
  if (op === 'atMost' || op === 'atLeast') return readNode(value, NUMBER, options);
  return readNode(value, FLAG, options);
}

function typeOf({ type }: ValueSpec): JsonObject {
  if (type === 'number') return NUMBER;
  if (type === 'boolean') return FLAG;
  return type === 'string' ? { type: 'string', title: 'text' } : {};
}
