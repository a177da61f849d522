import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { parse, stringify } from 'yaml';
import { Janitor } from '../../lab/janitor.ts';
import { REPOSITORY } from '../../lab/programs.ts';
import { startSandbox, stopSandbox } from '../../lab/sandbox.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaWorld, NEW_BROKERS } from '../kafka-world.ts';
import { createMirrorHost } from '../mirror-host.ts';
import { type MongoStage, startMongoStage } from '../mongo/stage.ts';
import {
  deployWeb,
  NAME,
  type Places,
  secondCluster,
  servicesParams,
  startPlaces,
  startWatch,
  type Watch,
  writeToken,
} from '../places.ts';
import { startUsers, type Users } from '../users.ts';
import { countAt, readLedger } from '../workload/ledger.ts';
import { workload } from '../world.ts';
import type { Counted, Stage } from './stage.ts';

const EVERY_MS = 200;
const [OLD_SECRET, NEW_SECRET, VARIABLE] = ['mongodb-old', 'mongodb-new', 'MONGODB_URL'];
const RUNBOOKS = join(REPOSITORY, 'runbooks', 'fast-data');
const PARTS = ['services-move', 'mongodb-cutover', 'kafka-cutover'];

interface Own {
  readonly janitor: Janitor;
  readonly mongo: MongoStage;
  readonly places: Places;
  readonly watch: Watch;
  readonly here: Cluster;
}

/**
 * `platform-cutover` as a whole: users behind two nginx and real DNS, two replica sets, two Kafka clusters. What works on the
 * data runs where it will stay; `crud`, which users call, is moved with them.
 */
export class Platform implements Stage {
  readonly world: KafkaWorld;
  readonly words: readonly string[];
  readonly patienceMs = 1_500_000;
  readonly #own: Own;
  #users: Users | undefined;

  static async start(): Promise<Platform> {
    const janitor = new Janitor();
    try {
      const mongo = await startMongoStage();
      janitor.add('MongoDB', mongo.end);
      let places: Places | undefined;
      const world = await KafkaWorld.start(
        {},
        {
          everyMs: EVERY_MS,
          hosts: async (dir, own) => {
            places = await startPlaces(own, dir);
            const mirror = await createMirrorHost(join(dir, 'hosts'), [{ ...mongo, unit: 'mongomirror.service' }]);
            own.add('mirror-1', () => stopSandbox(mirror));
            await startSandbox(mirror);
            return [...places.hosts, { name: mirror.name, labels: mirror.labels, path: mirror.path }];
          },
        },
      );
      janitor.add('world', () => world.end());
      if (!places) throw new Error('a world asks for its hosts');
      const here = await secondCluster(janitor, world.dir);
      const watch = await startWatch(janitor, here);
      return new Platform(world, { janitor, mongo, places, watch, here });
    } catch (error) {
      await janitor.sweep();
      throw error;
    }
  }

  private constructor(world: KafkaWorld, own: Own) {
    this.world = world;
    this.#own = own;
    writeToken(world.dir);
    for (const set of [own.mongo.source, own.mongo.destination]) {
      writeFileSync(join(world.dir, 'secrets', set.name), set.uri('signalbox'), { mode: 0o600 });
    }
    this.words = this.#shortened();
  }

  end(): Promise<void> {
    return this.#own.janitor.sweep();
  }

  victimsAt(): readonly string[] {
    return [];
  }

  async strike(): Promise<void> {
    throw new Error('nobody is killed here');
  }

  /** Once: what has been moved stays there. */
  async startOver(): Promise<void> {
    if (this.#users) return;
    const { world } = this;
    const { mongo, here, places } = this.#own;
    const { cluster } = world;
    deployWeb({ here, there: cluster, places });
    cluster.secrets.set(OLD_SECRET, { url: mongo.source.uri('app') });
    cluster.secrets.set(NEW_SECRET, { url: mongo.destination.uri('app') });
    const shop = mongo.source.root.db('shop');
    for (const name of ['views', 'totals']) await shop.createCollection(name);
    const env = (ledger: string) => [
      { name: 'LEDGER', value: world.ledger(ledger) },
      { name: 'EVERY_MS', value: String(EVERY_MS) },
      { name: VARIABLE, valueFrom: { secretKeyRef: { name: OLD_SECRET, key: 'url' } } },
    ];
    cluster.create({ name: 'sink', replicas: 1, env: env('writes'), argv: workload('writer') });
    cluster.create({ name: 'search', replicas: 1, env: env('reads'), argv: workload('reader') });
    await until('what works on MongoDB', () => world.atWork({ sink: 1, search: 1 }), { timeoutMs: 120_000 });
    await until('crud at the source', () => here.hasReady('crud', 1), { timeoutMs: 60_000 });
    await world.load();
    const resolvers = places.resolvers.map(({ server }) => server);
    this.#users = startUsers({ name: NAME, port: places.port, resolvers });
  }

  async settle(): Promise<Counted> {
    const { world } = this;
    const { mongo, here } = this.#own;
    await this.#users?.leave();
    const failures = this.#users?.failures ?? [];
    if (failures.length > 0) throw new Error(`${failures.length} requests failed, the first one with ${failures[0]}`);
    const led = ['sink', 'search'].map((name) => world.secretBehind(name, VARIABLE));
    const moved = here.pods('crud').length === 0 && led.every((name) => name === NEW_SECRET);
    if (!moved || world.brokersOf('rtu', 'svc', 'api').some((name) => name !== NEW_BROKERS)) {
      throw new Error(`not everything has moved: MongoDB is read and written as ${led.join(' and ')}`);
    }
    world.cluster.scale('sink', 0);
    await until('the writer to end', () => world.cluster.pods('sink').length === 0, { timeoutMs: 60_000 });
    const views = await countAt(mongo.destination.root, readLedger(world.ledger('writes')));
    const messages = await world.finish();
    return {
      written: views.acknowledged + messages.written,
      lost: views.lost.length + messages.lost.length,
      duplicated: views.duplicated.length + Math.abs(views.miscounted) + messages.duplicated.length,
      accepted: 0,
    };
  }

  /** The runbook with what its parts have defaults for, because a rehearsal of minutes has no day to wait. */
  #shortened(): string[] {
    const { mongo, places, watch } = this.#own;
    const { world } = this;
    const dir = join(world.dir, 'runbooks');
    mkdirSync(dir);
    for (const part of PARTS) copyFileSync(join(RUNBOOKS, `${part}.yaml`), join(dir, `${part}.yaml`));
    const runbook = parse(readFileSync(join(RUNBOOKS, 'platform-cutover.yaml'), 'utf8'));
    const { params, gates, steps } = runbook.spec;
    const services = { ...servicesParams({ ...places, ...watch }), dnsToken: world.secretFile('dns-token') };
    const kafka = world.usualParams();
    const shorter: Readonly<Record<string, object>> = {
      services: without(services, params),
      mongodb: { oplogSeconds: 60, headroomSeconds: 30, lagWindow: '20s', quietWindow: '5s', writesWindow: '5s' },
      kafka: { settle: '3s', lagWindow: '2s', look: '1s' },
    };
    for (const step of steps) if (step.include) Object.assign(step.with, shorter[step.id]);
    gates['users-served'].every = '1s';
    writeFileSync(join(dir, 'platform-cutover.yaml'), stringify(runbook));
    const night = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    const cluster = (kubeconfig: string) => ({
      namespace: world.cluster.namespace,
      kubeconfig: world.secretFile(kubeconfig),
    });
    const { source: sourceKafka, destination: destinationKafka, services: consumers, ...own } = Object(kafka);
    const given = {
      ...without(own, shorter.kafka ?? {}),
      ...Object.fromEntries(Object.entries(services).filter(([name]) => Object.hasOwn(params, name))),
      ...{ sourceKafka, destinationKafka, consumers },
      sourceCluster: cluster('kubeconfig-there'),
      destinationCluster: cluster('kubeconfig'),
      sourceMongo: { uri: world.secretFile(mongo.source.name) },
      destinationMongo: { uri: world.secretFile(mongo.destination.name) },
      readers: [{ name: 'search' }],
      writers: [{ name: 'sink' }],
      urlSecret: NEW_SECRET,
      ...{ mongoWindow: night(-1), mongoDecideBy: night(60), kafkaWindow: night(-1), kafkaDecideBy: night(60) },
      ...{ settle: '5s', settleWithin: '10m' },
    };
    writeFileSync(join(world.dir, 'platform.yaml'), stringify(given));
    return [join(dir, 'platform-cutover.yaml'), '--params', join(world.dir, 'platform.yaml')];
  }
}

const without = (object: object, names: object): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !Object.hasOwn(names, name)));
