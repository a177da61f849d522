import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireReal } from '@signalbox/actions/testing';
import { commit } from '@signalbox/protocol/kafka';
import { KAFKA_VERSIONS, until } from '@signalbox/protocol/testing';
import { Janitor } from '../lab/janitor.ts';
import type { MeshHost } from '../lab/mesh.ts';
import { askAdmin, clientOf, findLine, type Line, type Side, startSide } from './kafka-side.ts';
import { type LedgerLine, readLedger } from './workload/ledger.ts';
import { COMMIT_EVERY, countPassed, keyOf, type Passed, repeatedBy } from './workload/numbers.ts';
import { furnish, hasKubectl, LONG_MS, SELDOM, World, type WorldParts, workload } from './world.ts';

const { jars, fileConnector } = await findLine('old');
/** Whether a whole cutover can be run on this machine. */
export const canMoveKafka =
  requireReal(`Kafka ${KAFKA_VERSIONS.old} (Java and Maven)`, jars !== undefined && fileConnector !== undefined) &&
  hasKubectl;

export const OLD_BROKERS = 'kafka-old';
export const NEW_BROKERS = 'kafka-new';
const VARIABLE = 'KAFKA_BROKERS';
/** By name, with who reads them; in data-flow order. */
export const TOPICS = { orders: 'rtu', requests: 'rtu', projections: 'svc' } as const;
export type Topic = keyof typeof TOPICS;
const PARTITIONS = { orders: 1, requests: 2, projections: 3 } as const;
const SERVICES = ['rtu', 'svc'] as const;
/** So long nothing comes any more: a consumer that was killed is replaced in a few seconds. */
const STILL_MS = 60_000;
const AT_WORK = { rtu: 1, svc: 1, api: 2 };
/**
 * What a pod does again when its broker dies: a reader reads again what it has read since it last committed, and whoever
 * was about to write and had no answer writes it again.
 */
const AGAIN: Readonly<Record<string, number>> = { rtu: COMMIT_EVERY + 1, svc: COMMIT_EVERY, api: 1 };

export interface KafkaWorldOptions {
  /** How often a row comes and each pod of the HTTP service writes; default 100. */
  readonly everyMs?: number;
  /** The line of Kafka at the destination; default `old`, as at the source. */
  readonly destination?: Line;
  /** Beside those that every world has; what they need ends with the janitor. */
  readonly hosts?: (dir: string, janitor: Janitor) => Promise<readonly MeshHost[]>;
}

interface Own {
  readonly source: Side;
  readonly destination: Side;
  readonly janitor: Janitor;
  readonly params: object;
  readonly everyMs: number;
}

/**
 * Fast Data in miniature on two real Kafka clusters: rows of a system of record go through CDC (a real Kafka Connect), and
 * requests through an HTTP service, to an updater, whose projections a single view is made of. Every row and request has a
 * number, so what comes out can be counted. All of it ends with `end`.
 */
export class KafkaWorld extends World {
  readonly source: Side;
  readonly destination: Side;

  static async start(params: object = {}, options: KafkaWorldOptions = {}): Promise<KafkaWorld> {
    const janitor = new Janitor();
    const dir = mkdtempSync(join(tmpdir(), 'sb-fk-'));
    janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
    try {
      const [source, destination] = await Promise.all([
        startSide(janitor, 'old'),
        startSide(janitor, options.destination ?? 'old'),
      ]);
      const hosts = [
        { name: 'ops-1', labels: { role: 'kafka-ops' } },
        ...((await options.hosts?.(dir, janitor)) ?? []),
      ];
      const parts = await furnish({ dir, janitor, runbook: 'kafka-cutover', hosts });
      return new KafkaWorld(parts, { source, destination, janitor, params, everyMs: options.everyMs ?? 100 });
    } catch (error) {
      await janitor.sweep();
      throw error;
    }
  }

  private constructor(parts: WorldParts, { source, destination, janitor, params, everyMs }: Own) {
    super(parts);
    this.source = source;
    this.destination = destination;
    this.#everyMs = everyMs;
    this.startRows();
    janitor.add('system of record', async () => this.stopRows());
    this.cluster.secrets.set(OLD_BROKERS, { brokers: source.broker.brokers.join() });
    this.cluster.secrets.set(NEW_BROKERS, { brokers: destination.broker.brokers.join() });
    this.#given = params;
    this.tonight();
  }

  /** The parameters of a cutover that begins now. */
  tonight(): void {
    this.writeParams({ ...this.night(), ...this.usualParams(), ...this.#given });
  }

  readonly #given: object;
  readonly #everyMs: number;
  #writing: NodeJS.Timeout | undefined;
  #rows = 0;

  /** The system of record goes on writing, whatever becomes of Kafka, until `stopRows`. */
  startRows(): void {
    this.#writing ??= setInterval(() => this.#addRow(), this.#everyMs);
  }

  stopRows(): void {
    clearInterval(this.#writing);
    this.#writing = undefined;
  }

  /** Topics at both places, CDC, services and an HTTP service: under load from here on. */
  async load(): Promise<void> {
    for (const side of [this.source, this.destination]) {
      await askAdmin(side, async (admin) => {
        const topics = Object.entries(PARTITIONS).map(([topic, numPartitions]) => ({ topic, numPartitions }));
        await admin.createTopics({ topics, waitForLeaders: true });
      });
    }
    // Where the services stand after years: not where their own settings say.
    for (const [topic, group] of Object.entries(TOPICS)) {
      const first = Array.from({ length: PARTITIONS[topic as Topic] }, () => '0');
      const wanted = { group, topic, offsets: Object.fromEntries(first.entries()) };
      await askAdmin(this.source, (admin) => commit({ admin, kafka: clientOf(this.source) }, wanted));
    }
    const brokers = { name: VARIABLE, valueFrom: { secretKeyRef: { name: OLD_BROKERS, key: 'brokers' } } };
    const ledger = (name: string) => ({ name: 'LEDGER', value: this.ledger(name) });
    const updater = [
      { name: 'FORCE_CHECK_ON_OFFSET', value: 'false' },
      { name: 'STATE', value: join(this.dir, 'rtu.json') },
      { name: 'DROPPED', value: this.ledger('dropped') },
      ledger('updates'),
    ];
    this.cluster.create({ name: 'rtu', replicas: 1, env: [brokers, ...updater], argv: workload('updater') });
    this.cluster.create({ name: 'svc', replicas: 1, env: [brokers, ledger('view')], argv: workload('single-view') });
    const often = { name: 'EVERY_MS', value: String(this.#everyMs) };
    this.cluster.create({
      name: 'api',
      replicas: 2,
      env: [brokers, ledger('requests'), often],
      argv: workload('intake'),
    });
    const source = { name: 'cdc', file: this.#table, topic: 'orders' };
    await this.source.connect.addFileSource(source);
    await this.destination.connect.addFileSource({ ...source, state: 'STOPPED' });
    await until('the services to be at work', () => this.atWork(AT_WORK), { timeoutMs: 120_000 });
    await this.moreInView(50);
  }

  /** Takes all of `load` away again, wherever a cutover has left it, so that it can be done anew. */
  async clear(): Promise<void> {
    this.stopRows();
    for (const name of Object.keys(AT_WORK)) this.cluster.scale(name, 0);
    const gone = () => Object.keys(AT_WORK).every((name) => this.cluster.pods(name).length === 0);
    await until('the services to end', gone, { timeoutMs: LONG_MS });
    for (const side of [this.source, this.destination]) {
      await side.connect.remove('cdc');
      await askAdmin(side, async (admin) => {
        const { groups } = await admin.listGroups();
        const own: readonly string[] = Object.values(TOPICS);
        const old = groups.map(({ groupId }) => groupId).filter((id) => own.includes(id));
        if (old.length > 0) await admin.deleteGroups(old);
        await admin.deleteTopics({ topics: Object.keys(TOPICS) });
        const left = async () => (await admin.listTopics()).filter((topic) => Object.hasOwn(TOPICS, topic));
        await until('the topics to be gone', async () => (await left()).length === 0, { timeoutMs: LONG_MS });
      });
    }
    for (const name of ['orders.table', 'rtu.json']) rmSync(join(this.dir, name), { force: true });
    for (const name of ['view', 'requests', 'updates', 'dropped']) rmSync(this.ledger(name), { force: true });
    this.startRows();
  }

  /** Rows and acknowledged requests, oldest first in each. */
  written(): LedgerLine[] {
    return [...readLedger(this.#table).map(({ n }) => ({ n, atMs: 0 })), ...this.requests()];
  }

  requests(): LedgerLine[] {
    return readLedger(this.ledger('requests'));
  }

  view(): LedgerLine[] {
    return readLedger(this.ledger('view'));
  }

  /** kill -9 of a broker, which is started again. @returns how many messages may come out twice after that */
  async strike(at: 'source' | 'destination'): Promise<number> {
    const led = at === 'source' ? OLD_BROKERS : NEW_BROKERS;
    const there = Object.keys(AT_WORK).filter((name) => this.brokersOf(name)[0] === led);
    const pods = there.flatMap((name) => this.cluster.pods(name).map(() => AGAIN[name] ?? 0));
    const { broker } = this[at];
    await broker.kill();
    await broker.start();
    return pods.reduce((sum, n) => sum + n, 0);
  }

  /** Waits until so many more have come out at the end. */
  async moreInView(more: number): Promise<void> {
    const before = this.view().length;
    await until(`${more} more in the view`, () => this.view().length >= before + more, SELDOM);
  }

  /** Has producers end, waits until everything that they wrote has come out, and counts. */
  async finish(): Promise<Passed> {
    this.stopRows();
    this.cluster.scale('api', 0);
    await until('the HTTP service to end', () => this.cluster.pods('api').length === 0, { timeoutMs: LONG_MS });
    const count = () => countPassed(this.written(), this.view());
    // How long it takes is up to the machine; what is lost is what does not come while nothing else comes either.
    let [seen, stillSinceMs] = [0, performance.now()];
    await until(
      'everything in the view',
      () => {
        const now = this.view().length;
        if (now > seen) [seen, stillSinceMs] = [now, performance.now()];
        return count().lost.length === 0 || performance.now() - stillSinceMs > STILL_MS;
      },
      { ...SELDOM, timeoutMs: 600_000 },
    );
    const passed = count();
    const few = (numbers: readonly string[]) => `${numbers.length} (${numbers.slice(0, 10).join(', ')})`;
    if (passed.lost.length > 0) console.error(`nothing comes any more, and not in the view: ${few(passed.lost)}`);
    const again = { updates: readLedger(this.ledger('updates')), view: this.view() };
    for (const [who, numbers] of Object.entries(repeatedBy(passed.duplicated, again))) {
      if (numbers.length > 0) console.error(`twice in the view by ${who}: ${few(numbers)}`);
    }
    return passed;
  }

  /** Where Deployments take their brokers from. */
  brokersOf(...deployments: readonly string[]): (string | undefined)[] {
    return deployments.map((name) => this.secretBehind(name, VARIABLE));
  }

  /** Starts the run and says yes to its first two questions, as the operator. @returns the run's id */
  async beginAndGo(): Promise<string> {
    const run = await this.begin();
    for (const step of ['history-acknowledged', 'go']) {
      await this.event(run, 'StepStarted', { step });
      await this.approveBy('operator', run, step);
    }
    return run;
  }

  async inView(n: string): Promise<void> {
    await until(`${n} in the view`, () => this.view().some((line) => line.n === n), SELDOM);
  }

  /** Where groups have committed offsets, as `group topic`. */
  async offsetsAt(side: Side): Promise<string[]> {
    return await askAdmin(side, async (admin) => {
      const found = await Promise.all(
        Object.entries(TOPICS).map(async ([topic, groupId]) => {
          const offsets = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: false });
          const committed = offsets.flatMap(({ partitions }) => partitions).some(({ offset }) => BigInt(offset) >= 0n);
          return committed ? [`${groupId} ${topic}`] : [];
        }),
      );
      return found.flat();
    });
  }

  /** How far CDC has read the table, as that Kafka Connect says it. */
  async position({ connect }: Side): Promise<string> {
    return await (await fetch(`${connect.url}/connectors/cdc/offsets`)).text();
  }

  /** Messages that a topic was ever given. */
  async high(side: Side, topic: Topic): Promise<number> {
    return await askAdmin(side, async (admin) => {
      const marks = await admin.fetchTopicOffsets(topic);
      return marks.reduce((sum, { high }) => sum + Number(high), 0);
    });
  }

  /** What a producer that nobody has listed does. */
  async strayMessage(side: Side, topic: Topic, n: string, partition?: number): Promise<void> {
    const producer = clientOf(side).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const where = partition === undefined ? {} : { partition };
    await producer.send({ topic, messages: [{ key: keyOf(n), value: n, ...where }] });
    await producer.disconnect();
  }

  /**
   * The partition at the destination that is furthest behind what the updater remembers of the source. Keys begin with the
   * names of pods, so how many messages each partition has got is chance.
   */
  async furthestBehind(topic: Topic): Promise<number> {
    const newest: Record<string, number> = JSON.parse(readFileSync(join(this.dir, 'rtu.json'), 'utf8'));
    const marks = await askAdmin(this.destination, (admin) => admin.fetchTopicOffsets(topic));
    const behind = marks.map(({ partition, high }) => (newest[`${topic}/${partition}`] ?? 0) - Number(high));
    return marks[behind.indexOf(Math.max(...behind))]?.partition ?? 0;
  }

  /** What an administrator does about messages that nobody is to read. */
  async empty(side: Side, topic: Topic): Promise<void> {
    await askAdmin(side, async (admin) => {
      const marks = await admin.fetchTopicOffsets(topic);
      const partitions = marks
        .filter(({ high, low }) => high !== low)
        .map(({ partition, high: offset }) => ({ partition, offset }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
  }

  /** As an administrator edits a Deployment; resolves when no older pod is left. */
  async setEnv(deployment: string, name: string, value: string): Promise<void> {
    const { spec, ...object } = structuredClone(this.cluster.get(deployment));
    const [container] = spec.template.spec.containers;
    for (const entry of container?.env ?? []) if (entry.name === name) entry.value = value;
    this.cluster.replace({ ...object, spec });
    const { template } = spec;
    const replaced = () =>
      this.cluster
        .pods(deployment)
        .every((pod) => JSON.stringify(pod.template) === JSON.stringify(template) && pod.ready);
    await until(`${deployment} to be replaced`, replaced, { timeoutMs: LONG_MS });
  }

  async untilDropped(n: string): Promise<void> {
    const seen = () => readLedger(this.ledger('dropped')).some((line) => line.n === n);
    await until(`${n} to be dropped`, seen, SELDOM);
  }

  get #table(): string {
    return join(this.dir, 'orders.table');
  }

  #addRow(): void {
    appendFileSync(this.#table, `order/${this.#rows}\n`);
    this.#rows += 1;
  }

  /** All but the cluster and the night. */
  usualParams(): object {
    const topics = Object.entries(TOPICS).map(([name, group]) => ({ name, groups: [group] }));
    return {
      source: { brokers: this.source.broker.brokers },
      destination: { brokers: this.destination.broker.brokers },
      connectUrl: this.source.connect.url,
      newConnectUrl: this.destination.connect.url,
      connectors: [{ name: 'cdc' }],
      intake: [{ name: 'api' }],
      topics,
      updaters: [{ name: 'rtu' }],
      services: SERVICES.map((name) => ({ name })),
      brokersSecret: NEW_BROKERS,
      historyKept: 'until 2027-06-30',
      settle: '3s',
      lagWindow: '2s',
      look: '1s',
    };
  }
}
