import { until } from '@signalbox/protocol/testing';
import { EVERY_MS, type FastDataWorld, NEW_SECRET, OLD_SECRET, VARIABLE } from './fast-data-world.ts';
import type { MirrorOptions } from './mirror-host.ts';
import type { MongoStage } from './mongo/stage.ts';
import { type Count, countAt, readLedger } from './workload/ledger.ts';
import { SELDOM, workload } from './world.ts';

/** Databases that are cut over one after the other, each with a mirror, a reader and a writer of its own. */
export const PARTS = ['shop', 'crm'].map((name) => ({
  name,
  database: name,
  unit: `mongomirror-${name}.service`,
  reader: `crud-${name}`,
  writer: `svc-${name}`,
}));
export type Part = (typeof PARTS)[number];

/** A mirror that copies what two others copy already. */
export const BOTH = { ...PARTS[0], name: 'both', unit: 'mongomirror-both.service' };

export const partMirrors = ({ source, destination }: MongoStage): MirrorOptions[] => [
  ...PARTS.map(({ unit, database }) => ({ unit, source, destination, includes: [database] })),
  { unit: BOTH.unit, source, destination, includes: PARTS.map(({ database }) => database) },
];

/** The words that name the runbook with these parts. */
export function partitioned(world: FastDataWorld, parts: readonly object[] = PARTS): string[] {
  const { source, destination } = world.stage;
  return world.other('mongodb-cutover-partitioned', {
    source: { uri: world.secretFile(source.name) },
    destination: { uri: world.secretFile(destination.name) },
    cluster: { namespace: world.cluster.namespace, kubeconfig: world.secretFile('kubeconfig') },
    urlSecret: NEW_SECRET,
    parts,
    lagWindow: '20s',
    quietWindow: '5s',
    writesWindow: '5s',
  });
}

/** Both parts under load from here on. */
export async function loadParts(world: FastDataWorld): Promise<void> {
  for (const { database, writer, reader } of PARTS) {
    const db = world.stage.source.root.db(database);
    for (const collection of ['views', 'totals']) await db.createCollection(collection);
    const env = (ledger: string) => [
      { name: 'LEDGER', value: world.ledger(ledger) },
      { name: 'DATABASE', value: database },
      { name: 'EVERY_MS', value: String(EVERY_MS) },
      { name: VARIABLE, valueFrom: { secretKeyRef: { name: OLD_SECRET, key: 'url' } } },
    ];
    world.cluster.create({ name: writer, replicas: 1, env: env(writer), argv: workload('writer') });
    world.cluster.create({ name: reader, replicas: 1, env: env(reader), argv: workload('reader') });
  }
  const all = Object.fromEntries(PARTS.flatMap(({ writer, reader }) => [writer, reader]).map((name) => [name, 1]));
  await until('the services of all parts to be at work', () => world.atWork(all), { timeoutMs: 120_000 });
}

export const writesOf = (world: FastDataWorld, { writer }: Part) => readLedger(world.ledger(writer));

export const countPart = (world: FastDataWorld, part: Part, side: 'source' | 'destination'): Promise<Count> =>
  countAt(world.stage[side].root, writesOf(world, part), part.database);

/** Waits until a part has been told of more writes than it had. */
export async function goesOn(world: FastDataWorld, part: Part): Promise<void> {
  const before = writesOf(world, part).length;
  await until(`${part.writer} to write`, () => writesOf(world, part).length > before + 10, SELDOM);
}

/** A transaction that no mirror could carry as one. */
export async function transactionAcrossParts({ stage }: FastDataWorld): Promise<void> {
  const { root } = stage.source;
  await root.withSession((session) =>
    session.withTransaction(async () => {
      for (const { database } of PARTS)
        await root.db(database).collection('views').insertOne({ both: true }, { session });
    }),
  );
}
