import { type ActionSpec, formatDuration, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { codeTable, table } from '@signalbox/protocol/reference';
import { actionSpecs } from './catalogue.ts';
import { ACTION_CODES } from './codes.ts';
import { TRAPS } from './traps.ts';

/** The text of docs/reference/actions.md. A test compares: `npx vitest run packages/actions -u` writes it anew. */
export function actionsReference(): string {
  return [
    '# Actions',
    '',
    'Made from the code; change the actions, not this page. What a step of a runbook can `do`, with the fields of its',
    '`with`. Fields in **bold** must be given.',
    '',
    ...actionSpecs.flatMap(section),
    '## Failure codes',
    '',
    ...codeTable(ACTION_CODES),
    '',
  ].join('\n');
}

/** The text of docs/traps.md, made and compared in the same way. */
export function trapsPage(): string {
  const sections = Object.entries(TRAPS).flatMap(([id, { title, guide, happens, signalbox }]) => [
    `## ${id}: ${title}`,
    '',
    `**The guide:** ${guide}`,
    '',
    `**What happens:** ${happens}`,
    '',
    `**Signalbox:** ${signalbox}`,
    '',
  ]);
  return [
    '# Traps',
    '',
    'Made from the code; change packages/actions/src/traps.ts, not this page. Two guides are followed by hand today, that',
    'of R3MES (T01 to T26) and that of Fast Data (T30 and up), and several of their commands are wrong or dangerous.',
    'Signalbox does what they mean. Each trap has tests with its number in the title: `npx vitest run -t T05` runs them. In those of',
    'T01 to T26 the commands of the guide are carried out first, and do the harm.',
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function section(spec: ActionSpec): string[] {
  const effect = spec.effect === 'declared' ? 'stated by the author in `with.effect`' : spec.effect;
  const facts = [
    `- effect: ${effect}`,
    `- in a plan: ${spec.does}; undo: ${spec.undoes ?? 'none'}`,
    ...(spec.byHand ? [`- undo by hand: \`${spec.byHand}\``] : []),
    ...(spec.leaves ? [`- leaves behind after undo: ${spec.leaves}`] : []),
    ...(spec.touches.length > 0 ? [`- touches: ${spec.touches.map((id) => `\`${id}\``).join(', ')}`] : []),
    ...(spec.timeoutMs ? [`- time limit unless stated: ${formatDuration(spec.timeoutMs)}`] : []),
    ...(spec.secrets.length > 0 ? [`- takes a secret reference: ${spec.secrets.join(', ')}`] : []),
  ];
  const receipt = Object.entries(spec.receipt).map(([field, text]) => [`\`${field}\``, text]);
  return [
    `## ${spec.name}`,
    '',
    spec.summary,
    '',
    ...facts,
    '',
    ...table(['field', 'type', 'what it is'], fields(spec.input)),
    '',
    ...(receipt.length > 0 ? [...table(['receipt', 'what it is'], receipt), ''] : []),
  ];
}

function fields({ properties, required }: JsonObject): string[][] {
  const wanted = Array.isArray(required) ? required : [];
  return Object.entries(isJsonObject(properties) ? properties : {}).map(([name, schema]) => {
    const shown = wanted.includes(name) ? `**\`${name}\`**` : `\`${name}\``;
    const { description, default: preset } = isJsonObject(schema) ? schema : {};
    const text = [
      description,
      preset === undefined ? undefined : `Default \`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\`.`,
    ];
    return [shown, typeOf(schema), text.filter(Boolean).join(' ')];
  });
}

function typeOf(schema: JsonObject[string] | undefined): string {
  if (!isJsonObject(schema)) return 'any';
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const { properties } = schema;
  if (isJsonObject(properties)) {
    const inner = Object.entries(properties).map(([name, field]) => `${name}: ${typeOf(field)}`);
    return `{ ${inner.join(', ')} }`;
  }
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(alternatives)) return alternatives.map(typeOf).join(' or ');
  return schema.type === 'array' ? 'list' : String(schema.type ?? 'any');
}
