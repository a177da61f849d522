import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { onTestFinished } from 'vitest';
import { type Said, sayTo, type Talk, type TalkOptions, talkTo } from '../../lab/child.ts';
import { Janitor } from '../../lab/janitor.ts';
import { type OperatorRole, ProcessMesh, type ProcessMeshOptions } from '../../lab/mesh.ts';
import { Operator } from '../../lab/operator.ts';
import { PROGRAMS } from '../../lab/programs.ts';
import { type Mark, readMarks, WORK } from './work.ts';

export const MESH = 'e2e';

export interface WorldOptions {
  /** Each gets an agent; default `a-1` and `a-2`. All have the label `role: box`. */
  readonly hosts?: readonly string[];
  /** Default: an `operator`. */
  readonly operators?: Readonly<Record<string, OperatorRole>>;
  /** Further keys of coordinator.yaml. */
  readonly coordinator?: object;
  readonly maxStorageBytes?: number;
  /** Text of a policy.yaml for every host; left out: everything is allowed. */
  readonly policy?: string;
  /** What speaks to the network is a process of its own on every host. */
  readonly messenger?: boolean;
  /** Puts something between everybody and NATS. @returns where they find it then. */
  readonly before?: (url: string) => Promise<string>;
  /** A NATS that knows everybody by JWT. */
  readonly known?: Pick<ProcessMeshOptions, 'nats' | 'jwtOf'>;
}

/** A mesh of real processes with an operator at its CLI, in a folder of its own; all of it ends with `end`. */
export class World {
  readonly dir: string;
  readonly mesh: ProcessMesh;
  /** For looking and waiting without the start of a process; what a test is about goes through `signalbox`. */
  readonly operator: Operator;
  readonly janitor: Janitor;

  /** Resolves when every agent has been heard. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const { hosts = ['a-1', 'a-2'], operators, coordinator, maxStorageBytes } = options;
    const janitor = new Janitor();
    const dir = mkdtempSync(join(tmpdir(), 'sb-e2e-'));
    janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
    try {
      const bin = join(dir, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'work'), WORK, { mode: 0o755 });
      const policy = join(dir, 'policy.yaml');
      if (options.policy !== undefined) writeFileSync(policy, options.policy, { mode: 0o644 });
      const host = (name: string) => ({
        ...{ name, labels: { role: 'box', name }, path: `${bin}:/usr/bin:/bin` },
        ...(options.policy === undefined ? {} : { policy }),
        ...(options.messenger === undefined ? {} : { messenger: options.messenger }),
      });
      const mesh = await ProcessMesh.start(
        {
          name: MESH,
          dir,
          hosts: hosts.map(host),
          ...(operators === undefined ? {} : { operators }),
          ...(coordinator === undefined ? {} : { coordinator }),
          ...(maxStorageBytes === undefined ? {} : { maxStorageBytes }),
          ...(options.before === undefined ? {} : { before: options.before }),
          ...options.known,
        },
        janitor,
      );
      const operator = await Operator.connect(mesh, janitor, Object.keys(operators ?? { operator: '' })[0]);
      const world = new World({ dir, mesh, operator, janitor });
      await world.online(hosts);
      return world;
    } catch (error) {
      await janitor.sweep();
      throw error;
    }
  }

  private constructor(parts: Pick<World, 'dir' | 'mesh' | 'operator' | 'janitor'>) {
    this.dir = parts.dir;
    this.mesh = parts.mesh;
    this.operator = parts.operator;
    this.janitor = parts.janitor;
  }

  end(): Promise<void> {
    return this.janitor.sweep();
  }

  /** `signalbox ARGS`, as the operator `as` types it, with nobody at a terminal. Resolves when it has ended. */
  signalbox(args: readonly string[], { as, ...options }: TalkOptions & { as?: string } = {}): Promise<Said> {
    return sayTo([PROGRAMS.signalbox, '--config', this.mesh.operatorFile(as), ...args], options);
  }

  /** The same for a command that goes on, such as `events --follow`; ended with the world. */
  follow(args: readonly string[]): Talk {
    const talk = talkTo([PROGRAMS.signalbox, '--config', this.mesh.operatorFile(), ...args]);
    this.janitor.adopt(`signalbox ${args.join(' ')}`, talk.child);
    return talk;
  }

  /** Writes a runbook of this world; its roles are `boxes`, all hosts, and `first`, the first. @returns its path. */
  runbook(name: string, steps: string, spec = ''): string {
    const path = join(this.dir, `${name}.yaml`);
    const indented = (text: string) => text.replace(/^(?=.)/gm, '  ');
    const head = `apiVersion: signalbox/v1\nkind: Runbook\nmetadata:\n  name: ${name}\n  summary: A test\n`;
    // A role that nothing uses is a warning.
    const one = steps.includes('hosts: first') ? '    first: { match: { name: a-1 }, count: 1 }\n' : '';
    const all = steps.includes('hosts: boxes') ? '    boxes: { match: { role: box }, count: { min: 1 } }\n' : '';
    const roles = one + all === '' ? '' : `  hosts:\n${one}${all}`;
    writeFileSync(path, `${head}spec:\n${roles}${indented(spec)}  steps:\n${indented(indented(steps))}`);
    return path;
  }

  /** Starts a runbook and leaves it. @returns the run's id. */
  async begin(file: string, ...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.signalbox(['--json', 'start', file, '--yes', '--detach', ...args]);
    if (exitCode !== 0) throw new Error(`start ${file} exited with ${exitCode}: ${stderr}${stdout}`);
    const { started } = JSON.parse(stdout);
    return String(started);
  }

  /** The first event of a type that the log of a run has, or gets; about `step`, and that way, when they are given. */
  async event<T extends RunEvent['type']>(
    run: string,
    type: T,
    { step, direction, timeoutMs = 20_000 }: { step?: string; direction?: 'do' | 'undo'; timeoutMs?: number } = {},
  ): Promise<Extract<RunEvent, { type: T }>> {
    const fits = (event: RunEvent): event is Extract<RunEvent, { type: T }> =>
      event.type === type &&
      (step === undefined || ('step' in event && event.step === step)) &&
      (direction === undefined || ('direction' in event && event.direction === direction));
    const what = `${type}${step === undefined ? '' : ` of ${step}`} in ${run}`;
    const find = (log: readonly LogEntry[]) => log.flatMap(({ events }) => events).find(fits);
    return await this.operator.seen(what, run, find, timeoutMs);
  }

  /** The run's log, or nothing while no coordinator answers. */
  async log(run: string): Promise<LogEntry[]> {
    return await this.operator.log(run).catch(() => []);
  }

  /** What `work` has written on all hosts. */
  marks(): Mark[] {
    return readMarks(this.dir);
  }

  /** Lets `work NAME until WORD` come to its end. */
  release(word: string): void {
    writeFileSync(join(this.dir, word), '');
  }

  /** A file that steps of this world may use. */
  file(name: string): string {
    return join(this.dir, name);
  }

  logText(daemon: string): string {
    return readFileSync(this.mesh.logFile(daemon), 'utf8');
  }

  async online(hosts: readonly string[]): Promise<void> {
    await until(
      `${hosts.join(', ')} to be heard`,
      async () => {
        const { hosts: known } = await this.operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
        const beating = known.filter(({ seenAtMs }) => seenAtMs !== undefined && Date.now() - seenAtMs < 3_000);
        return hosts.every((host) => beating.some(({ name }) => name === host));
      },
      { timeoutMs: 30_000 },
    );
  }
}

/** A world of one test's own, which may break it. */
export async function worldOfTest(options: WorldOptions = {}): Promise<World> {
  const world = await World.start(options);
  onTestFinished(() => world.end());
  return world;
}
