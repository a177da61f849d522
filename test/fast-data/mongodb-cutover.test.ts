import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Janitor } from '../lab/janitor.ts';
import { canRunCutover, FastDataWorld, NEW_SECRET } from './fast-data-world.ts';
import { guided } from './guide.ts';
import { moveInParts, partMirrors } from './parts.ts';
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
import { longestGapMs } from './workload/ledger.ts';

const MIN = new Timestamp(0n);

const janitor = new Janitor();
let world: FastDataWorld;
/** Beside it, in a world of its own: most of their time both wait for windows to pass. */
let parted: FastDataWorld;
let brokers: Brokers;
beforeAll(async () => {
  if (!canRunCutover) return;
  await Promise.all([
    FastDataWorld.start({
      runbook: 'mongodb-cutover',
      sets: { members: 3, destinationMembers: 3 },
      everyMs: 100,
      hosts: [{ name: 'ops-1', labels: { role: 'kafka-ops', system: 'fast-data' } }],
      params: () => ({ headroomSeconds: 30, changeStreams: 'cdc-orders' }),
    }).then((started) => {
      world = started;
    }),
    FastDataWorld.start({ runbook: 'mongodb-cutover-partitioned', mirrors: partMirrors }).then((started) => {
      parted = started;
    }),
  ]);
  if (hasKafka) brokers = await startBrokers(janitor);
});
afterAll(async () => {
  await Promise.all([world?.end(), parted?.end()]);
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

describe.runIf(canRunCutover)('under load', { concurrent: true }, () => {
  it('mongodb-cutover moves everything: nothing lost, nothing twice, both sides equal', async () => {
    await world.load();
    const [check, plan, asDocument, start, status, preview, approve, report, ...others] = guided('mongodb-cutover');
    expect(others).toEqual([]);
    for (const line of [check, plan]) expect(await world.guided(line ?? [])).toMatchObject({ exitCode: 0, stderr: '' });
    const planned = await world.guided(asDocument ?? []);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    // The document that is sent round: who, in which order, what stops, and from where there is no way back.
    // [T43] And who must start anew, because a position in a change stream means nothing to another replica set.
    for (const part of ['cdc-orders', 'no-way-back', 'not operator', 'budget 10m', 'MongoDB 7', '2 of 2 pods']) {
      expect(planned.stdout).toContain(part);
    }
    const begunMs = Date.now();
    const begun = await world.guided(start ?? [], { more: ['--yes', '--detach', '--json'] });
    const run = String(JSON.parse(begun.stdout).started);
    await world.event(run, 'StepStarted', { step: 'go' });
    expect((await world.guided(status ?? [], { run })).stdout).toContain('go: APPROVAL 0 of 1');
    expect((await world.guided(preview ?? [], { run })).stdout).toContain('destination-blocked');
    expect(await world.guided(approve ?? [], { run, more: ['--yes'] })).toMatchObject({ exitCode: 0, stderr: '' });
    await world.event(run, 'StepStarted', { step: 'no-way-back' });

    // Writers are gone and both sides were compared: whatever anybody was told that it is written is on both sides.
    for (const side of ['source', 'destination'] as const) {
      expect(await world.count(side)).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    }
    await world.approveBy('approvers', run, 'no-way-back');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    const tookMs = Date.now() - begunMs;
    expect((await world.guided(report ?? [], { run })).stdout).toContain('no-way-back');

    expect(['crud', 'rtu', 'svc'].map((name) => world.secretOf(name))).toEqual([NEW_SECRET, NEW_SECRET, NEW_SECRET]);
    expect(world.atWork({ crud: 1, rtu: 2, svc: 1 })).toBe(true);
    await world.stopServices();
    const count = await world.count('destination');
    expect(count).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    const [writes, reads] = [world.writes(), world.reads()].map(longestGapMs);
    console.log(
      `mongodb-cutover: ${count.acknowledged} writes acknowledged, 0 lost, 0 twice; writes stood still for ${writes} ms, ` +
        `reads for ${reads} ms; the run took ${tookMs} ms`,
    );
    // Reads went on: a rolling update may cost a moment, the writers' minute it may not.
    expect(reads).toBeLessThan(Number(writes) / 2);
  });

  it('[T37] mongodb-cutover-partitioned refuses mirrors that overlap or leave something, and moves each part on its own', async () => {
    await moveInParts(parted);
  });
});
