import type { ActionSpec, Catalogue, JsonObject, ProbeSpec, ValueSpec } from '@signalbox/protocol';
import { z } from 'zod';

/**
 * A catalogue for tests of the language: what the three example runbooks use. Some of it restates real actions as far as
 * the language looks at them, some has no program behind it yet.
 */
const text = z.string().min(1);
const connection = z.looseObject({});
const schema = (shape: z.ZodRawShape): JsonObject =>
  JSON.parse(JSON.stringify(z.toJSONSchema(z.strictObject(shape), { io: 'input' })));

type Partly<T> = Omit<Partial<T>, 'input'> & { input?: z.ZodRawShape };

function action(name: string, { input = {}, ...rest }: Partly<ActionSpec>): ActionSpec {
  const base = {
    version: 1,
    summary: name,
    effect: 'reversible' as const,
    touches: [],
    does: name,
    secrets: [],
    receipt: {},
  };
  return { name, ...base, ...rest, input: schema(input) };
}

function probe(
  name: string,
  values: Record<string, ValueSpec['type']>,
  { input = {}, ...rest }: Partly<ProbeSpec>,
): ProbeSpec {
  const specs = Object.entries(values).map(([key, type]): [string, ValueSpec] => [key, { type, help: key }]);
  const base = { version: 1, summary: name, open: false, secrets: [] };
  return { name, ...base, ...rest, values: Object.fromEntries(specs), input: schema(input) };
}

const effect = z.enum(['read', 'reversible', 'idempotent', 'irreversible']);
const call = {
  url: z.string().regex(/^https?:\/\/\S+$/),
  method: z.string().default('POST'),
  body: z.json().optional(),
};
const unit = { unit: text };
const deployment = { cluster: connection, deployment: text };

export const actions: ActionSpec[] = [
  action('systemd.stop', {
    input: unit,
    does: 'stop {unit}',
    undoes: 'start {unit} again if it was running',
    touches: ['unit:{unit}'],
    stops: '{unit}',
    receipt: { activeState: 'before' },
  }),
  action('systemd.start', {
    input: unit,
    does: 'start {unit}',
    undoes: 'stop {unit} unless it was running before',
    touches: ['unit:{unit}'],
    starts: '{unit}',
    receipt: { activeState: 'before' },
  }),
  action('systemd.restart', {
    input: unit,
    does: 'restart {unit}',
    undoes: 'stop {unit} if it was not running before',
    touches: ['unit:{unit}'],
    starts: '{unit}',
  }),
  action('remesd.backup', {
    input: { home: text },
    does: 'back up {home}/data',
    undoes: 'restore {home}/data if it changed',
    leaves: 'the backup below {home}/backups',
    touches: ['path:{home}'],
    receipt: { backup: 'path' },
    timeoutMs: 1_800_000,
  }),
  action('remesd.install', {
    input: { unit: text, source: text, sha256: z.string().regex(/^[0-9a-f]{64}$/), version: text },
    does: 'install {source} ({version})',
    undoes: 'old binary back',
    touches: ['unit:{unit}'],
    receipt: { target: 'path' },
  }),
  action('pip.install', {
    input: { venv: text, requirement: text },
    does: 'install {requirement} into {venv}',
    undoes: 'packages as before',
    touches: ['path:{venv}'],
  }),
  action('file.install', {
    input: { source: text, target: text },
    does: 'install {source} as {target}',
    undoes: 'old file back',
  }),
  action('http.request', {
    effect: 'declared',
    input: {
      ...call,
      expect: z.looseObject({}).optional(),
      authorization: z.json().optional(),
      effect: effect.optional(),
      undo: z.strictObject(call).optional(),
      probe: z.looseObject({}).optional(),
    },
    does: '{method} {url}',
    undoes: '{undo.method} {undo.url}',
    secrets: ['authorization'],
    touches: ['url:{url}'],
  }),
  action('exec.run', {
    effect: 'declared',
    input: { argv: z.array(z.string()).min(1), effect, undo: z.strictObject({ argv: z.array(z.string()) }).optional() },
    does: 'run {argv}',
    undoes: 'run {undo.argv}',
    receipt: { exitCode: 'always 0' },
  }),
  action('kubernetes.scale', {
    input: { ...deployment, replicas: z.int().min(0) },
    does: 'scale {deployment} to {replicas}',
    undoes: 'replicas as before',
    touches: ['deployment:{deployment}'],
    secrets: ['cluster'],
    receipt: { replicas: 'before' },
  }),
  action('kubernetes.start', {
    effect: 'irreversible',
    input: { ...deployment, replicas: z.int().min(0), env: text, secret: text, key: text },
    does: 'start {deployment} with {replicas} replicas',
    touches: ['deployment:{deployment}'],
    secrets: ['cluster'],
  }),
  action('kubernetes.setEnvFromSecret', {
    input: { ...deployment, env: text, secret: text, key: text },
    does: '{deployment} -> secret {secret}',
    undoes: 'old env',
    touches: ['deployment:{deployment}'],
    secrets: ['cluster'],
  }),
  action('mongodb.ttlMonitor', {
    input: { in: connection, enabled: z.boolean() },
    does: 'TTL monitor enabled: {enabled}',
    undoes: 'as before',
    secrets: ['in'],
  }),
  action('mongodb.writeBlock', {
    input: { in: connection, mode: z.enum(['prefer', 'require', 'off']) },
    does: 'block writes ({mode})',
    undoes: 'allow writes',
    secrets: ['in'],
  }),
  action('mongomirror.start', {
    input: { source: connection, destination: connection },
    does: 'start mongomirror.service',
    undoes: 'stop',
    leaves: 'copied data',
    secrets: ['source', 'destination'],
  }),
  action('mongomirror.stop', { input: unit, does: 'stop {unit}', undoes: 'start from bookmark' }),
  action('kafka.offsetsSet', {
    input: { in: connection, topic: text, groups: z.array(z.string()), at: text },
    does: 'offsets of {topic} at {at}',
    undoes: 'offsets deleted',
    secrets: ['in'],
  }),
  action('connect.offsetsCopy', {
    input: { from: text, to: text, connector: text },
    does: 'copy offsets of {connector}',
    undoes: 'offsets deleted',
  }),
];

const inMongo = { input: { in: connection }, secrets: ['in'] };
const running = { activeState: 'string', unitState: 'string', restarts: 'number' } as const;
export const probes: ProbeSpec[] = [
  probe('systemd.unit', { ...running, unitFileState: 'string', processes: 'number' }, { input: unit }),
  probe(
    'cometbft.status',
    {
      ...running,
      runsInstalled: 'boolean',
      catchingUp: 'boolean',
      height: 'number',
      blockAgeSeconds: 'number',
      peers: 'number',
      version: 'string',
    },
    { input: { unit: text.optional(), rpc: text.optional() } },
  ),
  probe('remesd.signerHeight', { height: 'number' }, { input: { unit: text.optional() } }),
  probe('miner.status', { ...running, sharesSubmitted: 'number' }, { input: { unit: text.optional() } }),
  probe('http.get', { status: 'number', body: 'object' }, { input: { url: text }, open: true }),
  probe('host.facts', { cpus: 'number', diskFreeBytes: 'number' }, {}),
  probe(
    'mongomirror.status',
    { stage: 'string', lagSeconds: 'number', errorMessage: 'string', unitState: 'string' },
    { input: unit, refreshesMs: 10_000 },
  ),
  probe('mongodb.oplogWindow', { windowSeconds: 'number' }, inMongo),
  probe(
    'mongodb.oplogHeadroom',
    { headroomSeconds: 'number' },
    { input: { in: connection, mirror: text }, secrets: ['in'] },
  ),
  probe('mongodb.quiet', { writes: 'number', openTransactions: 'number' }, inMongo),
  probe('mongodb.writes', { writes: 'number' }, inMongo),
  probe(
    'mongodb.compare',
    { differences: 'number' },
    { input: { left: connection, right: connection }, secrets: ['left', 'right'] },
  ),
  probe('kubernetes.pods', { pods: 'number', desired: 'number' }, { input: deployment, secrets: ['cluster'] }),
  probe(
    'kubernetes.env',
    { allEqual: 'string' },
    { input: { cluster: connection, deployments: z.array(z.looseObject({})), name: text }, secrets: ['cluster'] },
  ),
  probe(
    'kafka.topicsMatch',
    { missing: 'number', partitionsDiffer: 'number', compacted: 'number' },
    { input: { left: connection, right: connection, topics: z.array(z.looseObject({})) }, secrets: ['left', 'right'] },
  ),
  probe('kafka.watermarks', { high: 'number' }, { input: { in: connection, topic: text }, secrets: ['in'] }),
  probe(
    'kafka.lag',
    { maxLag: 'number' },
    { input: { in: connection, topic: text, groups: z.array(z.string()) }, secrets: ['in'] },
  ),
  probe(
    'kafka.groups',
    { members: 'number', committed: 'number' },
    { input: { in: connection, topics: z.array(z.looseObject({})) }, secrets: ['in'] },
  ),
];

export const catalogue: Catalogue = { actions, probes };
