import { type Json, type JsonObject, SECRET_FORMS } from '@signalbox/protocol';
import type { Report, Span } from './diagnostic.ts';
import type { Field, Param } from './model.ts';
import { entriesOf, get, type Node, textAt } from './node.ts';
import { readNode } from './read-node.ts';
import { PARAM_TYPES, type ParamType } from './schema/runbook.ts';
import { TYPES } from './types.ts';

/** Reads `spec.params`, and holds every default against its type. */
export function readParams(node: Node | undefined, report: Report): Map<string, Param> {
  const params = new Map<string, Param>();
  for (const [name, { key, value }] of entriesOf(node)) {
    const type = typeName(textAt(value, 'type'));
    if (!type) continue;
    const param: Param = { name, at: key, type };
    const of = itemType(get(value, 'of'));
    if (of) param.of = of;
    const fallback = get(value, 'default');
    if (fallback) {
      param.default = fallback;
      readTyped(fallback, param, report);
    }
    const help = textAt(value, 'help');
    if (help) param.help = help;
    params.set(name, param);
  }
  return params;
}

/** Reads one value of a declared type: by source text where text is meant, secrets as references. */
export function readTyped(node: Node, param: Param, report: Report): Json {
  const schema = typeSchema(param);
  const value = readNode(node, schema, {
    report: (code, at, text) =>
      isSecretPlace(at, node, schema) ? report('SB211', at, secretText(text)) : report(code, at, text),
    codes: { unknown: 'SB205', missing: 'SB205', wrong: 'SB205' },
    noun: 'field',
    references: false,
  });
  return finish(value, schema);
}

export function typeSchema({ type, of }: Pick<Param, 'type' | 'of'>): JsonObject {
  if (type !== 'list') return TYPES[type];
  if (of === undefined) return { ...TYPES.list, items: TYPES.string };
  if (typeof of === 'string') return { ...TYPES.list, items: typeSchema({ type: of }) };
  const fields = [...of];
  return {
    ...TYPES.list,
    items: {
      type: 'object',
      title: `an item with ${fields.map(([name]) => `\`${name}\``).join(', ')}`,
      properties: Object.fromEntries(fields.map(([name, field]) => [name, typeSchema({ type: field.type })])),
      required: fields.filter(([, field]) => field.default === undefined).map(([name]) => name),
      additionalProperties: false,
    },
  };
}

/** Fills in the defaults of a list's items. */
export function withItemDefaults(value: Json, { of }: Param): Json {
  if (!Array.isArray(value) || of === undefined || typeof of === 'string') return value;
  const silent: Report = () => {};
  const defaults = [...of].flatMap(([name, { type, default: node }]): [string, Json][] =>
    node ? [[name, readTyped(node, { name, at: node.at, type }, silent)]] : [],
  );
  return value.map((item) => (isObject(item) ? { ...Object.fromEntries(defaults), ...item } : item));
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function finish(value: Json, schema: Json | undefined): Json {
  if (schema === undefined || !isObject(schema)) return value;
  if (schema['x-secret'] === true && typeof value === 'string') return { $secret: value };
  if (schema.title === TYPES.sha256.title && typeof value === 'string') return value.toLowerCase();
  if (Array.isArray(value)) return value.map((item) => finish(item, schema.items));
  const properties = schema.properties;
  if (!isObject(value) || properties === undefined || !isObject(properties)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, finish(v, properties[key])]));
}

/** A secret that is given as its value must not be repeated in a message. */
function isSecretPlace(at: Span, node: Node, schema: Json | undefined): boolean {
  if (schema === undefined || !isObject(schema)) return false;
  if (node.kind === 'scalar') return node.at === at && schema['x-secret'] === true;
  if (node.kind === 'list') return node.items.some((item) => isSecretPlace(at, item, schema.items));
  const properties = schema.properties;
  if (node.kind !== 'map' || properties === undefined || !isObject(properties)) return false;
  return entriesOf(node).some(([key, { value }]) => isSecretPlace(at, value, properties[key]));
}

function secretText({ hint }: { message: string; hint?: string | undefined }) {
  return { message: `A secret is given as ${SECRET_FORMS}, never as its value.`, hint };
}

function typeName(text: string | undefined): ParamType | undefined {
  return PARAM_TYPES.find((type) => type === text);
}

function itemType(node: Node | undefined): ParamType | ReadonlyMap<string, Field> | undefined {
  if (node?.kind === 'scalar') return typeName(node.text);
  if (node?.kind !== 'map') return undefined;
  const fields = entriesOf(node).flatMap(([name, { value }]): [string, Field][] => {
    const type = typeName(value.kind === 'scalar' ? value.text : textAt(value, 'type'));
    const fallback = get(value, 'default');
    return type ? [[name, { type, ...(fallback ? { default: fallback } : {}) }]] : [];
  });
  return new Map(fields);
}
