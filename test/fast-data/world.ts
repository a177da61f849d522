import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireReal } from '@signalbox/actions/testing';
import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { stringify } from 'yaml';
import { type Said, sayTo } from '../lab/child.ts';
import type { Janitor } from '../lab/janitor.ts';
import { type MeshHost, ProcessMesh } from '../lab/mesh.ts';
import { Operator } from '../lab/operator.ts';
import { PROGRAMS, REPOSITORY } from '../lab/programs.ts';
import { serveCluster, writeKubeconfig } from './cluster/api-server.ts';
import { Cluster } from './cluster/cluster.ts';

const kubectlFolder = (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'kubectl')));
export const hasKubectl = requireReal('kubectl', kubectlFolder !== undefined);

/** For what takes seconds, on a machine that does much else. */
export const LONG_MS = 180_000;
/** The same for what is read from ledgers: they grow, and are read from the beginning each time. */
export const SELDOM = { timeoutMs: LONG_MS, pause: () => sleep(200) } as const;

const BUILT = join(REPOSITORY, 'test', 'dist', 'fast-data', 'workload');

export interface WorldOptions {
  /** Ends with the janitor; the caller made it. */
  readonly dir: string;
  readonly janitor: Janitor;
  readonly runbook: string;
  /** Beside `kube-1`, which has kubectl. */
  readonly hosts: readonly MeshHost[];
}

export interface WorldParts extends Pick<WorldOptions, 'dir' | 'janitor' | 'runbook'> {
  readonly cluster: Cluster;
  readonly mesh: ProcessMesh;
  readonly operator: Operator;
  readonly approvers: readonly Operator[];
}

/** A cluster with an API server, a host with kubectl, and a mesh of real processes: resolves when all hosts are heard. */
export async function furnish({ dir, janitor, runbook, hosts }: WorldOptions): Promise<WorldParts> {
  const cluster = new Cluster('fast-data');
  janitor.add(
    'cluster',
    () => cluster.end(),
    () => cluster.killNow(),
  );
  const { url, close } = await serveCluster(cluster);
  janitor.add('API server', close);
  mkdirSync(join(dir, 'secrets'), { mode: 0o700 });
  writeKubeconfig(join(dir, 'secrets', 'kubeconfig'), { url, namespace: cluster.namespace });

  const path = [kubectlFolder, '/usr/bin', '/bin'].join(delimiter);
  const all = [...hosts, { name: 'kube-1', labels: { role: 'kube', system: 'fast-data' }, path }];
  const operators = { operator: 'operator', anna: 'approver', mehmet: 'approver' } as const;
  const mesh = await ProcessMesh.start({ name: 'fd', dir, hosts: all, operators }, janitor);
  const operator = await Operator.connect(mesh, janitor);
  const approvers = [await Operator.connect(mesh, janitor, 'anna'), await Operator.connect(mesh, janitor, 'mehmet')];
  await until(
    `${all.map(({ name }) => name).join(', ')} to be heard`,
    async () => {
      const { hosts: known } = await operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
      return all.every((host) => known.some(({ name, seenAtMs }) => name === host.name && seenAtMs !== undefined));
    },
    { timeoutMs: LONG_MS },
  );
  return { dir, janitor, runbook, cluster, mesh, operator, approvers };
}

interface Typed {
  readonly run?: string;
  /** With the parameters; those of the world's runbook when left out. */
  readonly file?: string;
  readonly more?: readonly string[];
}

/** What every cutover of Fast Data has around it, and how an operator and two approvers take it through. */
export class World {
  readonly cluster: Cluster;
  readonly mesh: ProcessMesh;
  readonly operator: Operator;
  readonly dir: string;
  readonly #janitor: Janitor;
  readonly #approvers: readonly Operator[];
  readonly #runbook: string;

  protected constructor(parts: WorldParts) {
    this.cluster = parts.cluster;
    this.mesh = parts.mesh;
    this.operator = parts.operator;
    this.dir = parts.dir;
    this.#janitor = parts.janitor;
    this.#approvers = parts.approvers;
    this.#runbook = join(REPOSITORY, 'runbooks', 'fast-data', `${parts.runbook}.yaml`);
  }

  end(): Promise<void> {
    return this.#janitor.sweep();
  }

  protected writeParams(params: object): void {
    writeFileSync(this.#paramsFile, stringify(params));
  }

  /** What every cutover of data is given; times leave no room for waiting. */
  protected night(): object {
    const minutes = (n: number) => new Date(Date.now() + n * 60_000).toISOString();
    return { cluster: this.connection('kubeconfig'), windowStart: minutes(-1), decideBy: minutes(90) };
  }

  protected connection(kubeconfig: string): object {
    return { namespace: this.cluster.namespace, kubeconfig: this.secretFile(kubeconfig) };
  }

  /** As a runbook names it. */
  secretFile(name: string): string {
    return `file:${join(this.dir, 'secrets', name)}`;
  }

  ledger(name: string): string {
    return join(this.dir, `${name}.ledger`);
  }

  atWork(wanted: Readonly<Record<string, number>>): boolean {
    return Object.entries(wanted).every(([name, replicas]) => this.cluster.hasReady(name, replicas));
  }

  /** Where a Deployment takes a variable from. */
  secretBehind(deployment: string, variable: string): string | undefined {
    const [container] = this.cluster.get(deployment).spec.template.spec.containers;
    return container?.env?.find(({ name }) => name === variable)?.valueFrom?.secretKeyRef.name;
  }

  /** `signalbox ARGS`, with the runbook and its parameters where `RUNBOOK` stands. */
  signalbox(args: readonly string[]): Promise<Said> {
    const words = args.flatMap((word) => (word === 'RUNBOOK' ? [this.#runbook, '--params', this.#paramsFile] : [word]));
    return sayTo([PROGRAMS.signalbox, '--config', this.mesh.operatorFile(), ...words], { timeoutMs: 120_000 });
  }

  /** A line of the guide, typed here: with this world's files and run for those that it names, and what is not asked of a terminal. */
  guided(line: readonly string[], { run = '', file = this.#paramsFile, more = [] }: Typed = {}): Promise<Said> {
    const own = (word: string) => (word === 'RUN' ? run : word.startsWith('runbooks/') ? join(REPOSITORY, word) : word);
    return this.signalbox([...line.map((word, i) => (line[i - 1] === '--params' ? file : own(word))), ...more]);
  }

  /** Another runbook in the same world, with parameters of its own: the words that name both on a command line. */
  other(runbook: string, params: object): string[] {
    const file = join(this.dir, `${runbook}.yaml`);
    writeFileSync(file, stringify(params));
    return [join(REPOSITORY, 'runbooks', 'fast-data', `${runbook}.yaml`), '--params', file];
  }

  /** @returns the run's id */
  begin(...args: string[]): Promise<string> {
    return this.beginOther('RUNBOOK', ...args);
  }

  /** The same for what `other` has named. */
  async beginOther(...args: string[]): Promise<string> {
    const words = ['--json', 'start', ...args, '--yes', '--detach'];
    const { stdout, stderr, exitCode } = await this.signalbox(words);
    if (exitCode !== 0) throw new Error(`start exited with ${exitCode}: ${stderr}${stdout}`);
    return String(JSON.parse(stdout).started);
  }

  people(who: 'operator' | 'approvers'): readonly Operator[] {
    return who === 'operator' ? [this.operator] : this.#approvers;
  }

  async approveBy(who: 'operator' | 'approvers', run: string, step: string): Promise<void> {
    for (const person of this.people(who)) await person.approve(run, step);
  }

  async events(run: string): Promise<RunEvent[]> {
    return eventsOf(await this.operator.log(run).catch(() => []));
  }

  /** The newest event of a type, about `step` when that is given; waits for one after the first `after`. */
  async event<T extends RunEvent['type']>(
    run: string,
    type: T,
    { step, after = 0, timeoutMs = 300_000 }: { step?: string; after?: number; timeoutMs?: number } = {},
  ): Promise<Extract<RunEvent, { type: T }>> {
    const fits = (event: RunEvent): event is Extract<RunEvent, { type: T }> =>
      event.type === type && (step === undefined || ('step' in event && event.step === step));
    let over: string | undefined;
    const look = (log: readonly LogEntry[]) => {
      const events = eventsOf(log).slice(after);
      const seen = events.findLast(fits);
      // A hold that was lifted is over.
      const stop = events.findLast((e) => ['Ended', 'Held', 'Resumed', 'HoldLifted', 'UndoStarted'].includes(e.type));
      const final = stop && (stop.type === 'Ended' || stop.type === 'Held');
      if (!seen && final && type !== stop.type) {
        const failed = events.filter((e) => e.type === 'StepFailed');
        over = [stop, ...failed].map((e) => JSON.stringify(e)).join('\n');
      }
      return seen ?? over !== undefined;
    };
    const what = `${type}${step === undefined ? '' : ` of ${step}`} in ${run}`;
    const found = await this.operator.seen(what, run, look, timeoutMs).catch(async (error: unknown) => {
      const { stdout, stderr } = await this.signalbox(['status', run]);
      throw new Error(`${error instanceof Error ? error.message : error}:\n${stdout}${stderr}`, { cause: error });
    });
    if (found === true) throw new Error(`${type} of ${step} will not come: ${over}`);
    return found;
  }

  /** Resumes the run whenever it is held, as an operator who has seen to the reason, until `step` has started. */
  async reach(run: string, step: string): Promise<void> {
    const look = async (log: readonly LogEntry[]) => {
      const events = eventsOf(log);
      const last = (type: RunEvent['type']) => events.findLastIndex((event) => event.type === type);
      if (last('Ended') >= 0) throw new Error(`${run} has ended before ${step}`);
      const held = last('Held') > Math.max(last('Resumed'), last('HoldLifted'));
      if (held) await this.operator.ask('resume', { run }).catch(() => undefined);
      const started = events.findLastIndex((event) => event.type === 'StepStarted' && event.step === step);
      return !held && started > last('FenceBroken');
    };
    await this.operator.seen(`${step} in ${run}`, run, look, 240_000);
  }

  get #paramsFile(): string {
    return join(this.dir, 'params.yaml');
  }
}

const eventsOf = (log: readonly LogEntry[]) => log.flatMap(({ events }) => events);

/** What a pod of a program in `workload/` runs. */
export const workload = (program: string) => [process.execPath, join(BUILT, `${program}.js`)] as const;
