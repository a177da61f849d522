import { type JsonObject, SECRET_FORMS, SECRET_PATTERN } from '@signalbox/protocol';
import type { ParamType } from './schema/runbook.ts';

const SECRET: JsonObject = {
  type: 'string',
  pattern: SECRET_PATTERN,
  title: `a secret as ${SECRET_FORMS}`,
  'x-secret': true,
};
const TEXT: JsonObject = { type: 'string', minLength: 1, title: 'text' };
const HOST_PATH: JsonObject = {
  type: 'string',
  pattern: '^/(?!.*(?:^|/)\\.\\.(?:/|$))[^\\0\\n]*$',
  title: 'an absolute path on the host, without `..`',
};
const connection = (title: string, properties: JsonObject, required: string[]): JsonObject => ({
  type: 'object',
  title,
  properties,
  required,
  additionalProperties: false,
});

/** What a value of each parameter type looks like. `x-secret` marks what is a reference to a secret. */
export const TYPES: Readonly<Record<ParamType, JsonObject>> = {
  string: TEXT,
  integer: { type: 'integer', title: 'a whole number' },
  boolean: { type: 'boolean', title: 'true or false' },
  duration: { type: 'string', pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$', title: 'a duration such as 30s or 1h30m' },
  time: {
    type: 'string',
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)$',
    title: 'a time with its zone, such as 2026-11-21T02:00:00+01:00',
  },
  url: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*://\\S+$', title: 'a URL such as https://host:8080/path' },
  hostPath: HOST_PATH,
  sha256: { type: 'string', pattern: '^[0-9a-fA-F]{64}$', title: 'a SHA-256 of 64 hexadecimal digits' },
  secret: SECRET,
  list: { type: 'array', title: 'a list' },
  mongodb: connection('a MongoDB connection: { uri }', { uri: SECRET, caFile: HOST_PATH }, ['uri']),
  kafka: connection(
    'a Kafka connection: { brokers, username, password, mechanism, caFile }',
    {
      brokers: { anyOf: [TEXT, { type: 'array', items: TEXT }] },
      username: SECRET,
      password: SECRET,
      mechanism: { type: 'string', enum: ['plain', 'scram-sha-256', 'scram-sha-512'] },
      caFile: HOST_PATH,
    },
    ['brokers'],
  ),
  kubernetes: connection(
    'a Kubernetes cluster: { namespace, context, kubeconfig }',
    { namespace: TEXT, context: TEXT, kubeconfig: SECRET },
    ['namespace'],
  ),
  postgres: connection('a PostgreSQL connection: { uri }', { uri: SECRET, caFile: HOST_PATH }, ['uri']),
};

export const CONNECTIONS: ReadonlySet<ParamType> = new Set<ParamType>(['mongodb', 'kafka', 'kubernetes', 'postgres']);

/** Whether a value of this type may go only where secrets may. */
export function holdsSecrets(type: ParamType): boolean {
  return type === 'secret' || CONNECTIONS.has(type);
}

/** `scheme://user:password@host`: such a URL is a secret that nobody treats as one. */
export function hasPassword(value: unknown): boolean {
  return typeof value === 'string' && /[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i.test(value);
}
