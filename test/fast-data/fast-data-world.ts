import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { requireReal } from '@signalbox/actions/testing';
import type { RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { stringify } from 'yaml';
import { type Said, sayTo } from '../e2e/support/child.ts';
import { ProcessMesh } from '../lab/mesh.ts';
import { Operator } from '../lab/operator.ts';
import { PROGRAMS, REPOSITORY } from '../lab/programs.ts';
import { createSandbox, runOn, type Sandbox, startSandbox, stopSandbox } from '../lab/sandbox.ts';
import { serveCluster, writeKubeconfig } from './cluster/api-server.ts';
import { Cluster } from './cluster/cluster.ts';
import { createMirrorHost, installMongosync, type MirrorOptions, NOTHING_AT_BOOT } from './mirror-host.ts';
import { hasMongo, type MongoStage, startMongoStage } from './mongo/stage.ts';
import { type Count, countAt, type LedgerLine, readLedger } from './workload/ledger.ts';

const kubectlFolder = (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'kubectl')));
/** Whether a whole cutover can be run on this machine. */
export const canRunCutover = requireReal('kubectl', kubectlFolder !== undefined) && hasMongo;

const BUILT = join(REPOSITORY, 'test', 'dist', 'fast-data', 'workload');
export const OLD_SECRET = 'mongodb-old';
export const NEW_SECRET = 'mongodb-new';
export const VARIABLE = 'MONGODB_URL';

export interface FastDataOptions {
  readonly runbook: string;
  /** Default one, `mongomirror.service`, of everything. */
  readonly mirrors?: (stage: MongoStage) => readonly MirrorOptions[];
  /** Further parameters, or others than the usual. */
  readonly params?: (world: FastDataWorld) => object;
}

/**
 * Fast Data in miniature: two replica sets, a cluster with services that read and write and are counted, a host with a
 * mirror, a host with kubectl, and a mesh of real processes that moves it. All of it ends with `end`.
 */
export class FastDataWorld {
  readonly stage: MongoStage;
  readonly cluster: Cluster;
  readonly mirrorHost: Sandbox;
  readonly mesh: ProcessMesh;
  readonly operator: Operator;
  /** Where mongosync listens once its unit was started. */
  readonly syncApi: string;
  readonly #approvers: readonly Operator[];
  readonly #runbook: string;

  static async start(options: FastDataOptions): Promise<FastDataWorld> {
    const stage = await startMongoStage();
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
    const kubeHost = createSandbox({
      dir: join(dir, 'hosts'),
      name: 'kube-1',
      role: 'service',
      labels: { role: 'kube' },
      unit: NOTHING_AT_BOOT,
    });
    janitor.add('mirror-1', () => stopSandbox(mirrorHost));
    await startSandbox(mirrorHost);

    const cluster = new Cluster('fast-data');
    cluster.secrets.set(OLD_SECRET, { url: source.uri('app') });
    cluster.secrets.set(NEW_SECRET, { url: destination.uri('app') });
    janitor.add(
      'cluster',
      () => cluster.end(),
      () => cluster.killNow(),
    );
    const { url, close } = await serveCluster(cluster);
    janitor.add('API server', close);

    const secrets = join(dir, 'secrets');
    mkdirSync(secrets, { mode: 0o700 });
    for (const set of [source, destination]) {
      writeFileSync(join(secrets, set.name), `${set.uri('signalbox')}\n`, { mode: 0o600 });
    }
    writeKubeconfig(join(secrets, 'kubeconfig'), { url, namespace: cluster.namespace });

    const path = `${kubeHost.path}${delimiter}${kubectlFolder}`;
    const mesh = await ProcessMesh.start(
      {
        name: 'fd',
        dir,
        hosts: [
          { name: 'mirror-1', labels: mirrorHost.labels, path: mirrorHost.path },
          { name: 'kube-1', labels: kubeHost.labels, path },
        ],
        operators: { operator: 'operator', anna: 'approver', mehmet: 'approver' },
      },
      janitor,
    );
    const operator = await Operator.connect(mesh, janitor);
    const approvers = [await Operator.connect(mesh, janitor, 'anna'), await Operator.connect(mesh, janitor, 'mehmet')];
    const syncApi = await installMongosync(mirrorHost, { source, destination });
    const world = new FastDataWorld({ stage, cluster, mirrorHost, mesh, operator, approvers, options, syncApi });
    await world.#online(['mirror-1', 'kube-1']);
    return world;
  }

  private constructor(parts: {
    stage: MongoStage;
    cluster: Cluster;
    mirrorHost: Sandbox;
    mesh: ProcessMesh;
    operator: Operator;
    approvers: readonly Operator[];
    options: FastDataOptions;
    syncApi: string;
  }) {
    this.stage = parts.stage;
    this.cluster = parts.cluster;
    this.mirrorHost = parts.mirrorHost;
    this.mesh = parts.mesh;
    this.operator = parts.operator;
    this.#approvers = parts.approvers;
    this.syncApi = parts.syncApi;
    this.#runbook = join(REPOSITORY, 'runbooks', 'fast-data', `${parts.options.runbook}.yaml`);
    writeFileSync(this.#paramsFile, stringify({ ...this.#usualParams(), ...parts.options.params?.(this) }));
  }

  end(): Promise<void> {
    return this.stage.end();
  }

  /** Two writers, one of them with two pods, and a reader: under load from here on. Resolves when all are at work. */
  async load(): Promise<void> {
    const env = (ledger: string) => [
      { name: 'LEDGER', value: this.#ledger(ledger) },
      // Pods take their time to end, and write until they are gone [T70].
      { name: 'LINGERS_MS', value: '1500' },
      { name: VARIABLE, valueFrom: { secretKeyRef: { name: OLD_SECRET, key: 'url' } } },
    ];
    const argv = (program: string) => [process.execPath, join(BUILT, `${program}.js`)] as const;
    const shop = this.stage.source.root.db('shop');
    await shop.createCollection('views');
    await shop.collection('views').createIndex({ service: 1, at: -1 });
    // Made before the writers race to make it: a mongod under Wine stands still when two transactions do that at once.
    await shop.createCollection('totals');
    this.cluster.create({ name: 'rtu', replicas: 2, env: env('writes'), argv: argv('writer') });
    this.cluster.create({ name: 'svc', replicas: 1, env: env('writes'), argv: argv('writer') });
    this.cluster.create({ name: 'crud', replicas: 1, env: env('reads'), argv: argv('reader') });
    await until('the services to be at work', () => this.atWork({ rtu: 2, svc: 1, crud: 1 }), { timeoutMs: 120_000 });
  }

  atWork(wanted: Readonly<Record<string, number>>): boolean {
    return Object.entries(wanted).every(([name, replicas]) => {
      const { spec, status } = this.cluster.get(name);
      return spec.replicas === replicas && status.readyReplicas === replicas && status.replicas === replicas;
    });
  }

  /** Where a Deployment takes its URL from. */
  secretOf(deployment: string): string | undefined {
    const [container] = this.cluster.get(deployment).spec.template.spec.containers;
    return container?.env?.find(({ name }) => name === VARIABLE)?.valueFrom?.secretKeyRef.name;
  }

  writes(): LedgerLine[] {
    return readLedger(this.#ledger('writes'));
  }

  reads(): LedgerLine[] {
    return readLedger(this.#ledger('reads'));
  }

  count(side: 'source' | 'destination'): Promise<Count> {
    return countAt(this.stage[side].root, this.writes());
  }

  /** `signalbox ARGS`, with the runbook and its parameters where `RUNBOOK` stands. */
  signalbox(args: readonly string[]): Promise<Said> {
    const words = args.flatMap((word) => (word === 'RUNBOOK' ? [this.#runbook, '--params', this.#paramsFile] : [word]));
    return sayTo([PROGRAMS.signalbox, '--config', this.mesh.operatorFile(), ...words], { timeoutMs: 120_000 });
  }

  /** @returns the run's id */
  async begin(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.signalbox([
      '--json',
      'start',
      'RUNBOOK',
      '--yes',
      '--detach',
      ...args,
    ]);
    if (exitCode !== 0) throw new Error(`start exited with ${exitCode}: ${stderr}${stdout}`);
    return String(JSON.parse(stdout).started);
  }

  async approveBy(who: 'operator' | 'approvers', run: string, step: string): Promise<void> {
    for (const person of who === 'operator' ? [this.operator] : this.#approvers) {
      await person.ask('approve', { run, step });
    }
  }

  async events(run: string): Promise<RunEvent[]> {
    const log = await this.operator.log(run).catch(() => []);
    return log.flatMap(({ events }) => events);
  }

  /** The newest event of a type, about `step` when that is given; waits for one after the first `after`. */
  async event<T extends RunEvent['type']>(
    run: string,
    type: T,
    { step, after = 0, timeoutMs = 180_000 }: { step?: string; after?: number; timeoutMs?: number } = {},
  ): Promise<Extract<RunEvent, { type: T }>> {
    const fits = (event: RunEvent): event is Extract<RunEvent, { type: T }> =>
      event.type === type && (step === undefined || ('step' in event && event.step === step));
    let over: string | undefined;
    const found = await until(
      `${type}${step === undefined ? '' : ` of ${step}`} in ${run}`,
      async () => {
        const events = (await this.events(run)).slice(after);
        const seen = events.findLast(fits);
        // A hold that was lifted is over.
        const stop = events.findLast((e) => ['Ended', 'Held', 'Resumed', 'HoldLifted', 'UndoStarted'].includes(e.type));
        const final = stop && (stop.type === 'Ended' || stop.type === 'Held');
        if (!seen && final && type !== stop.type) over = JSON.stringify(stop);
        return seen ?? over !== undefined;
      },
      { timeoutMs },
    );
    if (found === true) throw new Error(`${type} of ${step} will not come: ${over}`);
    return found;
  }

  /** Resumes the run whenever it is held, as an operator who has seen to the reason, until `step` has started. */
  async reach(run: string, step: string): Promise<void> {
    await until(
      `${step} in ${run}`,
      async () => {
        const events = await this.events(run);
        const last = (type: RunEvent['type']) => events.findLastIndex((event) => event.type === type);
        if (last('Ended') >= 0) throw new Error(`${run} has ended before ${step}`);
        const held = last('Held') > Math.max(last('Resumed'), last('HoldLifted'));
        if (held) await this.operator.ask('resume', { run }).catch(() => undefined);
        const started = events.findLastIndex((event) => event.type === 'StepStarted' && event.step === step);
        return !held && started > last('FenceBroken');
      },
      { timeoutMs: 240_000 },
    );
  }

  /** Waits until services have been told of so many writes. */
  async moreWrites(total: number): Promise<void> {
    await until(`${total} writes`, () => this.writes().length >= total, { timeoutMs: 60_000 });
  }

  /** Lets writers end, so that what is counted stands still. */
  async stopServices(): Promise<void> {
    for (const name of ['rtu', 'svc', 'crud']) this.cluster.scale(name, 0);
    const gone = () => ['rtu', 'svc', 'crud'].every((name) => this.cluster.pods(name).length === 0);
    await until('the services to end', gone, { timeoutMs: 60_000 });
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

  #ledger(name: string): string {
    return join(this.stage.dir, `${name}.ledger`);
  }

  get #paramsFile(): string {
    return join(this.stage.dir, 'params.yaml');
  }

  #usualParams(): object {
    const { dir, source, destination } = this.stage;
    const at = (name: string) => `file:${join(dir, 'secrets', name)}`;
    const minutes = (n: number) => new Date(Date.now() + n * 60_000).toISOString();
    return {
      source: { uri: at(source.name) },
      destination: { uri: at(destination.name) },
      cluster: { namespace: this.cluster.namespace, kubeconfig: at('kubeconfig') },
      readers: [{ name: 'crud' }],
      writers: [{ name: 'rtu' }, { name: 'svc' }],
      urlSecret: NEW_SECRET,
      windowStart: minutes(-1),
      decideBy: minutes(30),
      // A set that was born a minute ago has a short oplog; the windows are as short as they may be.
      oplogSeconds: 60,
      lagWindow: '20s',
      quietWindow: '5s',
      writesWindow: '5s',
    };
  }

  async #online(hosts: readonly string[]): Promise<void> {
    await until(
      `${hosts.join(', ')} to be heard`,
      async () => {
        const { hosts: known } = await this.operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
        return hosts.every((host) => known.some(({ name, seenAtMs }) => name === host && seenAtMs !== undefined));
      },
      { timeoutMs: 60_000 },
    );
  }
}
