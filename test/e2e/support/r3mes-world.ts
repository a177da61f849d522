import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Direction, LogEntry, RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { spokenId } from '@signalbox/sequencer';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { type Said, sayTo } from '../../lab/child.ts';
import { Janitor } from '../../lab/janitor.ts';
import { ProcessMesh } from '../../lab/mesh.ts';
import { Operator } from '../../lab/operator.ts';
import { PROGRAMS, REPOSITORY } from '../../lab/programs.ts';
import { type Sandbox, startSandbox, stopSandbox } from '../../lab/sandbox.ts';

/** How a run of a runbook ended, with everything that its log says. */
export interface Run {
  id: string;
  outcome: string;
  /** Step, code and message of everything that failed on the way. */
  failures: string[];
  log: LogEntry[];
  events: RunEvent[];
}

/** A mesh whose hosts are sandboxes: what is in `runbooks/` runs on them as it stands, through the CLI. */
export class R3mesWorld {
  readonly dir: string;
  readonly mesh: ProcessMesh;
  readonly operator: Operator;
  readonly #hosts: readonly Sandbox[];
  /** How many files of parameters were written. */
  #made = 0;

  /** @param build makes the hosts below the folder; they are booted here. */
  static async start(build: (dir: string) => readonly Sandbox[] | Promise<readonly Sandbox[]>): Promise<R3mesWorld> {
    const janitor = new Janitor();
    onTestFinished(() => janitor.sweep());
    const dir = mkdtempSync(join(tmpdir(), 'sb-r3-'));
    janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
    const hosts = await build(dir);
    for (const host of hosts) janitor.add(host.name, () => stopSandbox(host));
    await Promise.all(hosts.map(startSandbox));
    const known = hosts.map(({ name, labels, path }) => ({ name, labels, path }));
    const operators = { operator: 'operator', deputy: 'operator', approver: 'approver' } as const;
    const mesh = await ProcessMesh.start({ name: 'r3mes', dir: join(dir, 'mesh'), hosts: known, operators }, janitor);
    const world = new R3mesWorld({ dir, mesh, hosts, operator: await Operator.connect(mesh, janitor) });
    await world.#online();
    return world;
  }

  /** The same for a caller who goes on with what was made. */
  static async with<M extends { hosts: readonly Sandbox[] }>(
    build: (dir: string) => M | Promise<M>,
  ): Promise<M & { world: R3mesWorld }> {
    const made: M[] = [];
    const world = await R3mesWorld.start(async (dir) => {
      const parts = await build(dir);
      made.push(parts);
      return parts.hosts;
    });
    const [parts] = made;
    if (!parts) throw new Error('nothing was made');
    return { ...parts, world };
  }

  private constructor(parts: Pick<R3mesWorld, 'dir' | 'mesh' | 'operator'> & { hosts: readonly Sandbox[] }) {
    this.dir = parts.dir;
    this.mesh = parts.mesh;
    this.operator = parts.operator;
    this.#hosts = parts.hosts;
  }

  /** A file of the mesh's own, readable by the agents alone. @returns a reference to it as a secret. */
  secret(name: string, value: string): string {
    const path = join(this.dir, 'secrets', name);
    mkdirSync(join(this.dir, 'secrets'), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${value}\n`, { mode: 0o600 });
    return `file:${path}`;
  }

  /** As `operator` types it, or another of them. */
  signalbox(args: readonly string[], { as }: { as?: 'operator' | 'deputy' | 'approver' } = {}): Promise<Said> {
    return sayTo([PROGRAMS.signalbox, '--config', this.mesh.operatorFile(as), ...args]);
  }

  /** Another process leads from here: what it knows of earlier runs is what was kept. */
  async restartCoordinator(): Promise<void> {
    await this.mesh.stop('coordinator');
    this.mesh.startCoordinator();
    await this.#online();
  }

  /** An earlier run is taken back by an operator who did not start it, and an approver. @throws Error when it is refused or held. */
  async undone(id: string, args: readonly string[] = [], timeoutMs = 240_000): Promise<Run & { shown: string }> {
    const said = await this.signalbox(['undo', id, '--yes', '--detach', ...args], { as: 'deputy' });
    const [, begun] = /^(\S+) has begun/m.exec(said.stdout) ?? [];
    if (begun === undefined) throw new Error(`undo ${id} exited with ${said.exitCode}: ${said.stderr}`);
    await this.started(begun, 'undo-approved');
    const approved = await this.signalbox(['approve', begun, 'undo-approved'], { as: 'approver' });
    if (approved.exitCode !== 0) throw new Error(`approve ${begun}: ${approved.stderr}`);
    return { ...(await this.ended(begun, timeoutMs)), shown: said.stdout };
  }

  rehearse(runbook: string, params: object): Promise<Said> {
    const { path, file } = this.#files(runbook, params);
    return this.signalbox(['rehearse', path, '--params', file]);
  }

  /** Starts a runbook of `runbooks/r3mes` with these parameters. @returns the id of the run. */
  async begin(runbook: string, params: object): Promise<string> {
    const { path, file } = this.#files(runbook, params);
    const said = await this.signalbox(['--json', 'start', path, '--params', file, '--yes', '--detach']);
    if (said.exitCode !== 0) {
      const { stdout } = await this.signalbox(['plan', path, '--params', file]);
      throw new Error(`start ${runbook}: ${said.stderr}${stdout}`);
    }
    return String(JSON.parse(said.stdout).started);
  }

  #files(runbook: string, params: object): { path: string; file: string } {
    this.#made += 1;
    const file = join(this.dir, `${runbook}-${this.#made}.params.yaml`);
    writeFileSync(file, stringify(params, { lineWidth: 0 }));
    return { file, path: join(REPOSITORY, 'runbooks', 'r3mes', `${runbook}.yaml`) };
  }

  /** The same, followed to its end. @throws Error when it is held instead: nobody here would decide. */
  async run(runbook: string, params: object, timeoutMs = 150_000): Promise<Run> {
    return this.ended(await this.begin(runbook, params), timeoutMs);
  }

  /** Resolves when a step has succeeded. */
  passed(id: string, step: string): Promise<void> {
    return this.#has(`${step} to succeed in ${id}`, id, (event) => isAbout(event, 'StepSucceeded', { step }));
  }

  /** Resolves when a step has begun: for one that waits for a person. */
  started(id: string, step: string, direction: Direction = 'do'): Promise<void> {
    return this.#has(`${step} to begin in ${id}`, id, (event) => isAbout(event, 'StepStarted', { step, direction }));
  }

  async #has(what: string, id: string, fits: (event: RunEvent) => boolean): Promise<void> {
    const look = (log: readonly LogEntry[]) => {
      const events = log.flatMap((entry) => entry.events);
      if (events.some(fits)) return true;
      const over = events.find(({ type }) => type === 'Ended' || type === 'Held');
      if (over) throw new Error(`${id}, ${over.type}: ${failuresIn(events)}`);
      return false;
    };
    await this.operator.seen(what, id, look, 120_000);
  }

  async ended(id: string, timeoutMs = 120_000): Promise<Run> {
    const look = (entries: LogEntry[]) => {
      const events = entries.flatMap((entry) => entry.events);
      const held = events.findLast(({ type }) => type === 'Held' || type === 'Resumed');
      if (held?.type === 'Held') throw new Error(`${id} is held: ${JSON.stringify(held)}`);
      return events.some(({ type }) => type === 'Ended') && entries;
    };
    const log = await this.operator.seen(`the end of ${id}`, id, look, timeoutMs);
    const events = log.flatMap((entry) => entry.events);
    const end = events.find((event) => event.type === 'Ended');
    return { id, outcome: end?.type === 'Ended' ? end.outcome : '', failures: failuresIn(events), log, events };
  }

  async #online(): Promise<void> {
    await until('all hosts to be heard', async () => {
      const { hosts: known } = await this.operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
      const beating = known.filter(({ seenAtMs }) => seenAtMs !== undefined && Date.now() - seenAtMs < 3_000);
      return this.#hosts.every((host) => beating.some(({ name }) => name === host.name));
    });
  }
}

function failuresIn(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'StepFailed' ? [`${event.step}: ${event.failure.code} ${event.failure.message}`] : [],
  );
}

function isAbout(
  event: RunEvent,
  type: 'StepSucceeded' | 'StepStarted',
  { step, direction = 'do' }: { step: string; direction?: Direction },
): boolean {
  return event.type === type && spokenId(event.step) === step && event.direction === direction;
}

/** The values that a record or gate saw. */
export function valuesOf({ events }: Run, step: string): object | undefined {
  const passed = events.find((event) => event.type === 'StepSucceeded' && spokenId(event.step) === step);
  return passed?.type === 'StepSucceeded' ? passed.values : undefined;
}
