import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import type { MeshHost } from '../lab/mesh.ts';
import { runOn, type Sandbox, startSandbox, stopSandbox } from '../lab/sandbox.ts';
import { createMirrorHost, installMongosync, type MirrorOptions } from './mirror-host.ts';
import { hasMongo, type MongoStage, type StageOptions, startMongoStage } from './mongo/stage.ts';
import { type Count, countAt, type LedgerLine, readLedger } from './workload/ledger.ts';
import { furnish, hasKubectl, LONG_MS, SELDOM, World, type WorldParts, workload } from './world.ts';

/** Whether a whole cutover can be run on this machine. */
export const canRunCutover = hasKubectl && hasMongo;

export const OLD_SECRET = 'mongodb-old';
export const NEW_SECRET = 'mongodb-new';
export const VARIABLE = 'MONGODB_URL';
/** How often a pod writes: so that two cores have time for the rest as well. */
export const EVERY_MS = 200;

export interface FastDataOptions {
  readonly runbook: string;
  /** Default one, `mongomirror.service`, of everything. */
  readonly mirrors?: (stage: MongoStage) => readonly MirrorOptions[];
  /** Beside those that every world has. */
  readonly hosts?: readonly MeshHost[];
  readonly sets?: StageOptions;
  /** How often each pod writes; default `EVERY_MS`. */
  readonly everyMs?: number;
  /** Further parameters, or others than the usual. */
  readonly params?: (world: FastDataWorld) => object;
}

/**
 * Fast Data in miniature: two replica sets, a cluster with services that read and write and are counted, a host with a
 * mirror, a host with kubectl, and a mesh of real processes that moves it. All of it ends with `end`.
 */
export class FastDataWorld extends World {
  readonly stage: MongoStage;
  readonly mirrorHost: Sandbox;
  /** Where mongosync listens once its unit was started. */
  readonly syncApi: string;
  readonly #given: FastDataOptions['params'];
  readonly #everyMs: number;

  static async start(options: FastDataOptions): Promise<FastDataWorld> {
    const stage = await startMongoStage(options.sets);
    try {
      return await FastDataWorld.#furnish(stage, options);
    } catch (error) {
      await stage.end();
      throw error;
    }
  }

  static async #furnish(stage: MongoStage, options: FastDataOptions): Promise<FastDataWorld> {
    const { dir, janitor, source, destination } = stage;
    const mirrors = options.mirrors?.(stage) ?? [{ unit: 'mongomirror.service', source, destination }];
    const mirrorHost = await createMirrorHost(join(dir, 'hosts'), mirrors);
    janitor.add('mirror-1', () => stopSandbox(mirrorHost));
    await startSandbox(mirrorHost);
    const mirror = { name: 'mirror-1', labels: mirrorHost.labels, path: mirrorHost.path };
    const hosts = [mirror, ...(options.hosts ?? [])];
    const parts = await furnish({ dir, janitor, runbook: options.runbook, hosts });
    parts.cluster.secrets.set(OLD_SECRET, { url: source.uri('app') });
    parts.cluster.secrets.set(NEW_SECRET, { url: destination.uri('app') });
    for (const set of [source, destination]) {
      writeFileSync(join(dir, 'secrets', set.name), `${set.uri('signalbox')}\n`, { mode: 0o600 });
    }
    const syncApi = await installMongosync(mirrorHost, { source, destination });
    return new FastDataWorld(parts, { stage, mirrorHost, syncApi, options });
  }

  private constructor(
    parts: WorldParts,
    own: { stage: MongoStage; mirrorHost: Sandbox; syncApi: string; options: FastDataOptions },
  ) {
    super(parts);
    this.stage = own.stage;
    this.mirrorHost = own.mirrorHost;
    this.syncApi = own.syncApi;
    this.#given = own.options.params;
    this.#everyMs = own.options.everyMs ?? EVERY_MS;
    this.tonight();
  }

  /** The parameters of a cutover that begins now. */
  tonight(): void {
    this.writeParams({ ...this.night(), ...this.#usualParams(), ...this.#given?.(this) });
  }

  /** Two writers, one of them with two pods, and a reader: under load from here on. Resolves when all are at work. */
  async load(): Promise<void> {
    const env = (ledger: string) => [
      { name: 'LEDGER', value: this.ledger(ledger) },
      // Pods take their time to end, and write until they are gone [T70].
      { name: 'LINGERS_MS', value: '1500' },
      { name: 'EVERY_MS', value: String(this.#everyMs) },
      { name: VARIABLE, valueFrom: { secretKeyRef: { name: OLD_SECRET, key: 'url' } } },
    ];
    const shop = this.stage.source.root.db('shop');
    await shop.createCollection('views');
    await shop.collection('views').createIndex({ service: 1, at: -1 });
    // Made before the writers race to make it: a mongod under Wine stands still when two transactions do that at once.
    await shop.createCollection('totals');
    this.cluster.create({ name: 'rtu', replicas: 2, env: env('writes'), argv: workload('writer') });
    this.cluster.create({ name: 'svc', replicas: 1, env: env('writes'), argv: workload('writer') });
    this.cluster.create({ name: 'crud', replicas: 1, env: env('reads'), argv: workload('reader') });
    await until('the services to be at work', () => this.atWork({ rtu: 2, svc: 1, crud: 1 }), { timeoutMs: 120_000 });
  }

  /** Where a Deployment takes its URL from. */
  secretOf(deployment: string): string | undefined {
    return this.secretBehind(deployment, VARIABLE);
  }

  writes(): LedgerLine[] {
    return readLedger(this.ledger('writes'));
  }

  reads(): LedgerLine[] {
    return readLedger(this.ledger('reads'));
  }

  count(side: 'source' | 'destination'): Promise<Count> {
    return countAt(this.stage[side].root, this.writes());
  }

  /** Waits until services have been told of so many writes. */
  async moreWrites(total: number): Promise<void> {
    await until(`${total} writes`, () => this.writes().length >= total, SELDOM);
  }

  /** Lets writers end, so that what is counted stands still. */
  async stopServices(): Promise<void> {
    for (const name of ['rtu', 'svc', 'crud']) this.cluster.scale(name, 0);
    const gone = () => ['rtu', 'svc', 'crud'].every((name) => this.cluster.pods(name).length === 0);
    await until('the services to end', gone, { timeoutMs: LONG_MS });
  }

  /** What was written until now is nobody's concern any more. */
  forgetLedgers(): void {
    for (const name of ['writes', 'reads']) rmSync(this.ledger(name), { force: true });
  }

  /** What an operator does before another try. */
  async emptyDestination(): Promise<void> {
    await this.stage.destination.root.db('shop').dropDatabase();
    rmSync(this.bookmark, { force: true });
  }

  /** `systemctl` on the host of the mirror, as its administrator types it. */
  async systemctl(...args: string[]): Promise<string> {
    return (await runOn(this.mirrorHost, ['systemctl', ...args])).stdout;
  }

  get bookmark(): string {
    return join(this.mirrorHost.paths.root, 'var', 'lib', 'mongomirror', 'bookmark');
  }

  #usualParams(): object {
    const { source, destination } = this.stage;
    return {
      source: { uri: this.secretFile(source.name) },
      destination: { uri: this.secretFile(destination.name) },
      readers: [{ name: 'crud' }],
      writers: [{ name: 'rtu' }, { name: 'svc' }],
      urlSecret: NEW_SECRET,
      // A set that was born a minute ago has a short oplog; the windows are as short as they may be.
      oplogSeconds: 60,
      lagWindow: '20s',
      quietWindow: '5s',
      writesWindow: '5s',
    };
  }
}
