import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Janitor } from '../lab/janitor.ts';
import { canRunCutover, FastDataWorld, NEW_SECRET } from './fast-data-world.ts';
import { guided } from './guide.ts';
import {
  type Brokers,
  closedPort,
  furnishPreflight,
  hasKafka,
  lastPosition,
  logsIn,
  startBrokers,
  stateOf,
  writesSince,
} from './preflight.ts';

const MIN = new Timestamp(0n);

const janitor = new Janitor();
let world: FastDataWorld;
let brokers: Brokers;
beforeAll(async () => {
  if (!canRunCutover || !hasKafka) return;
  [world, brokers] = await Promise.all([
    FastDataWorld.start({
      runbook: 'mongodb-cutover',
      hosts: [{ name: 'ops-1', labels: { role: 'kafka-ops', system: 'fast-data' } }],
    }),
    startBrokers(janitor),
  ]);
});
afterAll(async () => {
  await world?.end();
  await janitor.sweep();
});

describe.runIf(canRunCutover && hasKafka)('preflight', () => {
  it('[T42] [T59] names what is missing in one look, draws the network, and changes nothing', async () => {
    await furnishPreflight(world, brokers);
    const { source, destination } = world.stage;
    const lesser = destination.uri('app').replace(/app:[^@]*/, 'lesser:a-little');
    writeFileSync(join(world.dir, 'secrets', 'application'), lesser, { mode: 0o600 });
    writeFileSync(join(world.dir, 'secrets', 'mirror-source'), source.uri('mirror'), { mode: 0o600 });
    writeFileSync(join(world.dir, 'secrets', 'mirror-destination'), lesser, { mode: 0o600 });
    world.cluster.forbidden.add('update deployments/etl/scale');
    const closed = await closedPort();
    const systems = [
      { name: 'mongodb-old', address: source.members[0]?.address, neededBy: ['mirror'] },
      { name: 'mongodb-new', address: destination.members[0]?.address, neededBy: ['mirror'] },
      { name: 'kafka-old', address: brokers.old.brokers[0], neededBy: ['kafka-ops'] },
      { name: 'kafka-new', address: brokers.new.brokers[0], neededBy: ['kafka-ops'] },
      { name: 'registry', address: closed.address, neededBy: ['kube'] },
    ];
    const params = {
      source: { uri: world.secretFile(source.name) },
      destination: { uri: world.secretFile(destination.name) },
      application: { uri: world.secretFile('application') },
      mirrorSource: { uri: world.secretFile('mirror-source') },
      mirrorDestination: { uri: world.secretFile('mirror-destination') },
      databases: ['crm'],
      oplogSeconds: 30,
      oldKafka: { brokers: brokers.old.brokers },
      newKafka: { brokers: brokers.new.brokers },
      topics: [
        { name: 'orders', groups: ['rtu'] },
        { name: 'projections', groups: ['svc'] },
      ],
      cluster: { namespace: world.cluster.namespace, kubeconfig: world.secretFile('kubeconfig') },
      deployments: [{ name: 'etl' }],
      secrets: [{ name: NEW_SECRET }],
      connectUrl: brokers.connect.url,
      newConnectUrl: brokers.connect.url,
      systems,
    };
    const before = await stateOf(world, brokers);
    const positions = await Promise.all([source, destination].map(lastPosition));

    // The naive look: the account logs in, a client that asks for a topic gets one.
    expect(await logsIn(lesser)).toBe(true);
    const [rehearse = [], asDocument = [], start = [], ...others] = guided('preflight');
    expect(others).toEqual([]);
    const typed = (line: string[], given: object, more: string[] = []) =>
      world.guided(line, { file: String(world.other('preflight', given).at(-1)), more });
    const look = await typed(rehearse, params);
    expect([look.exitCode, look.stderr]).toEqual([1, '']);
    const missing = look.stdout
      .split('\n')
      .filter((line) => line.includes('MISSING'))
      .join('\n');
    for (const named of [
      `reachable  kube-1  unreached registry (${closed.address}): refused`,
      'application-permissions  mirror-1  lacking lesser@admin: remove on crm',
      'mirror-writes  mirror-1  lacking lesser@admin: listDatabases on the cluster, remove on crm, createCollection on crm',
      'mirror-let-through  mirror-1  lacking lesser@admin: bypassWriteBlockingMode on the cluster',
      'kubernetes-permissions  kube-1  lacking update deployments.apps/etl/scale',
      'problem the source is 7.0.15, mongomirror ends with 6.0',
      'new-kafka-permissions  ops-1  lacking there is no topic projections',
    ]) {
      expect(missing.replace(/ {2,}/g, '  ')).toContain(named);
    }
    expect(missing.split('\n').length).toBe(8);
    expect(look.stdout).toMatch(/from +mongodb-old +mongodb-new +kafka-old +kafka-new +registry\n/);
    expect(look.stdout).toMatch(/mirror-1 +\d+ ms +\d+ ms +\(\d+ ms\) +\(\d+ ms\) +\(refused\)/);

    const good = { ...params, tool: 'mongosync', application: { uri: world.secretFile(destination.name) } };
    writeFileSync(join(world.dir, 'secrets', 'mirror-destination'), destination.uri('mirror'), { mode: 0o600 });
    world.cluster.forbidden.clear();
    const app = destination.uri('app');
    writeFileSync(join(world.dir, 'secrets', 'application'), app, { mode: 0o600 });
    const nearly = { ...good, application: params.application, topics: params.topics.slice(0, 1) };
    const planned = await typed(asDocument, nearly);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    expect(planned.stdout).toContain('[kube-1] kube');
    expect(planned.stdout).toMatch(/\+-----> registry +127\.0\.0\.1:\d+ +REFUSED/);
    expect(planned.stdout).toMatch(/\+- - -> kafka-new +127\.0\.0\.1:\d+ +\(\d+ ms\)/);

    // As a record: it is held where something is missing, goes on when that is put right, and people put their names to the rest.
    const begun = await typed(start, nearly, ['--yes', '--detach', '--json']);
    const run = String(JSON.parse(begun.stdout).started);
    const { reasons } = await world.event(run, 'Held');
    expect(reasons[0]?.failure.message).toContain(`registry (${closed.address}): refused`);
    const report = await world.signalbox(['report', run]);
    expect(report.stdout).toMatch(/reachability\n +from +mongodb-old/);
    expect(report.stdout).toMatch(/kube-1 .*REFUSED\n +mirror-1 .*\n +ops-1 /);
    await closed.open();
    await world.operator.ask('resume', { run });
    for (const step of ['deployable', 'network-documented', 'plans-shared']) {
      await world.event(run, 'StepStarted', { step });
      await world.operator.ask('confirm', { run, step, note: 'seen' });
    }
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed', leftovers: [] });

    expect(await stateOf(world, brokers)).toEqual(before);
    const writes = await Promise.all([source, destination].map((set, i) => writesSince(set, positions[i] ?? MIN)));
    expect(writes).toEqual([[], []]);
    await source.root.db('crm').collection('customers').insertOne({ n: 2 });
    expect(await writesSince(source, positions[0] ?? MIN)).toHaveLength(1);
    expect(JSON.stringify(await world.events(run)) + look.stdout + report.stdout).not.toContain('what-apps-know');
  });
});
