import { isJsonObject, type JsonObject, type ProbeSpec } from '@signalbox/protocol';
import { codeTable, table } from '@signalbox/protocol/reference';
import { probeSpecs } from './catalogue.ts';
import { PROBE_CODES } from './codes.ts';

/** The text of docs/reference/probes.md. A test compares: `npx vitest run packages/probes -u` writes it anew. */
export function probesReference(): string {
  return [
    '# Probes',
    '',
    'Made from the code; change the probes, not this page. What a gate or a `record` can ask, with the fields of its',
    '`with` and the values of a sample. A value that cannot be had is absent from a sample, and an absent value meets',
    'no condition but `absent`.',
    '',
    ...probeSpecs.flatMap(section),
    '## Failure codes',
    '',
    ...codeTable(PROBE_CODES),
    '',
  ].join('\n');
}

function section({ name, summary, input, values, refreshesMs }: ProbeSpec): string[] {
  const fields = fieldsOf(input);
  const rows = Object.entries(values).map(([value, { type, unit, help }]) => [
    `\`${value}\``,
    unit ? `${type}, ${unit}` : type,
    help,
  ]);
  return [
    `## ${name}`,
    '',
    summary,
    '',
    ...(refreshesMs ? [`Values change at most every ${refreshesMs / 1_000} s.`, ''] : []),
    ...(fields.length > 0 ? [...table(['field', 'what it is'], fields), ''] : []),
    ...table(['value', 'type', 'what it is'], rows),
    '',
  ];
}

function fieldsOf({ properties, required }: JsonObject): string[][] {
  const wanted = Array.isArray(required) ? required : [];
  return Object.entries(isJsonObject(properties) ? properties : {}).map(([name, schema]) => {
    const { description, default: preset } = isJsonObject(schema) ? schema : {};
    const text = [
      description,
      preset === undefined ? undefined : `Default \`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\`.`,
      wanted.includes(name) ? 'Must be given.' : undefined,
    ];
    return [`\`${name}\``, text.filter(Boolean).join(' ')];
  });
}
