import { z } from 'zod';
import { isJsonObject, type Json } from './json.ts';
import { STATUS_EVENTS } from './status.ts';

/** The page docs/reference/events.md, made from the schemas: what monitoring may subscribe to. */
export function statusReference(): string {
  const events = Object.entries(STATUS_EVENTS).flatMap(([type, { subject, data }]) => [
    `## \`${type}\``,
    '',
    `Subject \`sb.<mesh>.${subject}\`.`,
    '',
    '| field of `data` | type | always there |',
    '| --- | --- | --- |',
    ...rowsOf(z.toJSONSchema(data, { io: 'output', unrepresentable: 'any' }) as Json),
    '',
  ]);
  return [INTRODUCTION, ...events].join('\n');
}

const INTRODUCTION = `# Status events

Made from the schemas in \`protocol/src/status.ts\`. A test fails when this page and the schemas differ.

Each message on \`sb.<mesh>.status.>\` is one [CloudEvent 1.0](https://cloudevents.io) in structured JSON. Any NATS client of the
\`MONITOR\` account can subscribe; it can do nothing else. Delivery is at least once: \`id\` is the run and the position in its log
where the event comes from the log, so copies can be told. Status is derived; the run log is the truth.

\`\`\`
nats --nkey monitor.seed sub 'sb.prod.status.>'
\`\`\`

| attribute | value |
| --- | --- |
| \`source\` | \`signalbox/<mesh>/<coordinator>\` |
| \`subject\` | the host or the run |
| \`time\` | the coordinator's wall clock, RFC 3339 |
| \`datacontenttype\` | \`application/json\` |
`;

function rowsOf(schema: Json): string[] {
  if (!isJsonObject(schema) || !isJsonObject(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).map(
    ([name, type]) => `| \`${name}\` | ${typeName(type)} | ${required.includes(name) ? 'yes' : ''} |`,
  );
}

function typeName(schema: Json | undefined): string {
  if (!isJsonObject(schema)) return 'any';
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(typeName).join(' or ');
  if (schema.type === 'array') return `list of ${typeName(schema.items)}`;
  if (isJsonObject(schema.properties)) return `object (${Object.keys(schema.properties).join(', ')})`;
  if (isJsonObject(schema.additionalProperties)) return 'object of any names';
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  return typeof schema.type === 'string' ? schema.type : 'any';
}
