import { randomUUID } from 'node:crypto';
import {
  type Command,
  Command as CommandSchema,
  type Control,
  type ControlReport,
  Control as ControlSchema,
  type Outcome,
  type OutcomeReport,
  type Plan,
  type PlanStep,
  Query,
  type Report,
} from '@signalbox/protocol';
import { createKeyPair, type KeyPair, open, seal } from '@signalbox/protocol/crypto';
import { pino } from 'pino';
import { Hosts } from '../daemon/hosts.ts';
import { Members } from '../daemon/members.ts';
import type { Clock, Ports } from '../daemon/ports.ts';
import { HostQueries } from '../daemon/queries.ts';
import { Runs } from '../daemon/runs.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { MemoryBus } from './memory-bus.ts';

export const OPERATOR = { name: 'ayse', key: createKeyPair().publicKey, role: 'operator' };

export const LEASE_MS = 5_000;

/** One coordinator process. */
export interface Coordinator {
  readonly ports: Ports;
  readonly hosts: Hosts;
  readonly members: Members;
  readonly runs: Runs;
  /** SIGSTOP and SIGCONT; who sleeps for ever is dead. */
  sleep(): void;
  wake(): void;
}

/** Coordinators on a bus and a clock of their own, with hosts that a test plays. */
export class World {
  readonly bus = new MemoryBus();
  readonly clock = new ManualClock();
  readonly coordinatorKey = createKeyPair();
  readonly hostKeys: Record<string, KeyPair>;
  /** The coordinator that a test is about, when it is about one. */
  #first: Coordinator;

  constructor(names: readonly string[]) {
    this.hostKeys = Object.fromEntries(names.map((name) => [name, createKeyPair()]));
    this.bus.onControl = (_, data) => this.#onControl(data);
    this.bus.answerQuery = async (query) => this.#onSettle(query);
    this.#first = this.#make('coordinator-1');
  }

  get ports(): Ports {
    return this.#first.ports;
  }

  get hosts(): Hosts {
    return this.#first.hosts;
  }

  get members(): Members {
    return this.#first.members;
  }

  get runs(): Runs {
    return this.#first.runs;
  }

  /** What a host says to a fence besides that it has heard it; undefined: it does not answer. */
  fenceAnswer: (fence: Control) => Partial<ControlReport> | undefined = () => ({ known: [] });

  /** Which of these commands a host has ended, when it is asked what became of them. */
  settled: (ids: readonly string[]) => OutcomeReport[] = () => [];

  /** Another coordinator process on the same bus: nothing but the log is left of the one before. */
  async restart(): Promise<void> {
    this.#first = await this.join('coordinator-1');
  }

  /** One more coordinator, which goes on by the clock. */
  async join(name: string): Promise<Coordinator> {
    const coordinator = this.#make(name);
    await coordinator.members.start();
    await coordinator.runs.share();
    await settle();
    return coordinator;
  }

  plan(steps: PlanStep[]): Plan {
    return {
      signalboxPlan: 1,
      mesh: 'test',
      runbook: { name: 'book', summary: 'a test', sha256: '00' },
      madeAtMs: 0,
      madeBy: 'ayse',
      params: {},
      hosts: Object.entries(this.hostKeys).map(([name, { publicKey }]) => ({
        name,
        labels: {},
        journal: `j-${name}`,
        machine: `m-${name}`,
        key: publicKey,
      })),
      roles: { all: Object.keys(this.hostKeys) },
      onFailure: 'rollback',
      downtime: [],
      steps,
      observed: [],
      findings: { errors: 0, warnings: 0 },
    };
  }

  /** The commands that are on the bus, opened as an agent would. */
  commands(): Command[] {
    const trusts = (key: string) => key === this.coordinatorKey.publicKey;
    return this.bus.commands.map(({ data }) => open(data, { kind: 'command', schema: CommandSchema, trusts }).payload);
  }

  /** A host's report about a command; resolves to whether the coordinator acknowledged it. */
  async report(command: Command, outcome: Outcome, change: Partial<Report> = {}): Promise<boolean> {
    const { run, host } = command;
    return await this.bus.deliver(
      run,
      host,
      seal('report', { ...this.outcomeOf(command, outcome), ...change }, this.#keyOf(host)),
    );
  }

  outcomeOf(command: Command, outcome: Outcome = { status: 'succeeded' }): OutcomeReport {
    const { id: commandId, run, host, step, direction, attempt, epoch } = command;
    return {
      type: 'outcome',
      ...{ mesh: 'test', run, host, journal: `j-${host}`, machine: `m-${host}` },
      ...{ journalSequence: 1, sentAtMs: this.clock.wallMs(), epoch },
      ...{ commandId, step, direction, attempt, outcome },
      ...{ startedAtMs: this.clock.wallMs(), durationMs: 5, outputBytes: 0 },
    };
  }

  /** Hosts answer samples with these values, checks with this before-receipt. */
  answer(values: (query: Query) => Record<string, string | number | boolean> | undefined): void {
    const trusts = (key: string) => key === this.coordinatorKey.publicKey;
    this.bus.answerQuery = async ({ host, data }) => {
      const { payload: query } = open(data, { kind: 'query', schema: Query, trusts });
      const found = values(query);
      const key = this.hostKeys[host];
      if (!found || !key) return undefined;
      const { nonce } = query;
      if (query.verb === 'check')
        return seal('answer', { verb: 'check', nonce, host, result: { before: found, problems: [] } }, key);
      return seal('answer', { verb: 'sample', nonce, host, values: found, tookMs: 1 }, key);
    };
  }

  #keyOf(host: string): KeyPair {
    const key = this.hostKeys[host];
    if (!key) throw new Error(`no host ${host}`);
    return key;
  }

  #onControl(data: Uint8Array): void {
    const trusts = (key: string) => key === this.coordinatorKey.publicKey;
    const { payload: control } = open(data, { kind: 'control', schema: ControlSchema, trusts });
    const answer = control.type === 'fence' ? this.fenceAnswer(control) : undefined;
    if (answer) void this.answerFence(control, answer);
  }

  /** What a host says to a fence comes now. */
  async answerFence(control: Control, answer: Partial<ControlReport>): Promise<void> {
    const { run, host, epoch, id: controlId, journal, machine } = control;
    const key = this.hostKeys[host];
    if (!key) return;
    const place = { mesh: 'test', run, host, journal, machine, journalSequence: 1, sentAtMs: this.clock.wallMs() };
    const report = { type: 'control', control: 'fence', controlId, epoch, ...place, ...answer };
    await this.bus.deliver(run, host, seal('report', report, key));
  }

  #onSettle({ host, data }: { host: string; data: Uint8Array }): Uint8Array | undefined {
    const { payload: query } = open(data, { kind: 'query', schema: Query, trusts: () => true });
    if (query.verb !== 'settle') return undefined;
    const reports = this.settled(query.commands).filter((report) => report.host === host);
    return seal('answer', { verb: 'settle', nonce: query.nonce, host, commands: [], reports }, this.#keyOf(host));
  }

  #make(name: string): Coordinator {
    const nap = napping(this.clock);
    const ports: Ports = {
      mesh: 'test',
      name,
      bus: this.bus,
      signer: this.coordinatorKey,
      clock: nap.clock,
      random: () => 0.5,
      newId: randomUUID,
      log: pino({ level: 'silent' }),
    };
    const enrolled = Object.entries(this.hostKeys).map(([host, { publicKey }]) => [
      host,
      { key: publicKey, labels: {} },
    ]);
    const hosts = new Hosts(ports, Object.fromEntries(enrolled));
    const queries = new HostQueries(ports, hosts);
    const members = new Members({ ports, leaseMs: LEASE_MS });
    const runs = new Runs({ ports, queries, hosts, members, onRunner: () => {}, onEntry: () => {} });
    return { ports, hosts, members, runs, sleep: nap.sleep, wake: nap.wake };
  }
}

/** A clock that can stand still for one process, as after SIGSTOP: what was due meanwhile comes when it wakes up. */
function napping(clock: Clock): { clock: Clock; sleep(): void; wake(): void } {
  let missed: (() => void)[] | undefined;
  return {
    clock: {
      wallMs: clock.wallMs,
      monotonicMs: clock.monotonicMs,
      after: (ms, callback) => clock.after(ms, () => (missed ? void missed.push(callback) : callback())),
    },
    sleep() {
      missed ??= [];
    },
    wake() {
      const due = missed ?? [];
      missed = undefined;
      for (const callback of due) callback();
    },
  };
}

/** A step that runs `exec.run` on the given hosts. */
export function action(id: string, hosts: readonly string[]): PlanStep {
  return {
    kind: 'action',
    id,
    number: 1,
    line: 1,
    action: 'exec.run',
    version: 1,
    effect: 'reversible',
    reversible: true,
    targets: hosts.map((host) => ({
      host,
      with: { argv: [id] },
      does: id,
      undoes: `undo ${id}`,
      touches: [],
      exclusive: [],
    })),
    timeoutMs: 60_000,
    retry: { attempts: 1, backoffMs: 0, retryOn: [] },
  };
}

/** A gate on one host that wants `value` to be 1 for 3 s, sampled every second. */
export function gate(id: string, host: string): PlanStep {
  return {
    kind: 'gate',
    id,
    number: 1,
    line: 1,
    probe: 'test.value',
    targets: [{ host, with: {}, until: { value: { equals: 1 } } }],
    forMs: 3_000,
    everyMs: 1_000,
    timeoutMs: 60_000,
    onTimeout: 'hold',
    tolerateMs: 0,
    once: false,
    validWhile: [],
  };
}
