import { type Action, type Begun, defineAction } from '@signalbox/actions';
import { defineProbe } from '@signalbox/probes';
import {
  Answer,
  type Applied,
  Command,
  type Control,
  commandId,
  type Failure,
  type JsonObject,
  type Query,
  Report,
} from '@signalbox/protocol';
import { createKeyPair, type KeyPair, open, seal } from '@signalbox/protocol/crypto';
import { z } from 'zod';
import { type Agent, createAgent } from '../agent.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { EVERYTHING, type Policy } from '../policy/policy.ts';
import type { Execution, ExecutionRequest, Identity, ProcessGroup, Workbench } from '../ports.ts';
import { type Delivered, type FakeBus, fakeBus } from './fake-bus.ts';
import { type ManualClock, manualClock, settled } from './manual-clock.ts';
import { type MemoryStorage, memoryStorage } from './memory-storage.ts';

/** What an action of the small world was asked, and how a test makes it end. */
export interface Call {
  what: 'check' | 'run' | 'undo' | 'probe';
  input: JsonObject;
  receipt: JsonObject;
  /** Of a probe. */
  begun?: Begun;
  signal: AbortSignal;
  resolve(receipt?: JsonObject): void;
  reject(error: unknown): void;
}

export interface SmallWorldOptions {
  storage?: MemoryStorage;
  clock?: ManualClock;
  keys?: { coordinator: KeyPair; host: KeyPair };
  identity?: Partial<Identity>;
  newId?: string;
  concurrency?: number;
  /** Process groups that are still there at the start. */
  workbenchSurvivors?: ProcessGroup[];
  applied?: Applied;
  policy?: Policy;
  /** Who vouches for operators; left out: the coordinator's word is enough. */
  authority?: string;
  /** What beats are answered with; undefined: nobody hears. */
  coordinatorNowMs?: () => number | undefined;
}

export const RUN = 'run-1';

/** An agent with everything real but the world around it: bus, clock, disk and host are here. */
export interface SmallWorld {
  readonly bus: FakeBus;
  readonly clock: ManualClock;
  readonly storage: MemoryStorage;
  readonly journal: Journal;
  readonly agent: Agent;
  readonly calls: Call[];
  readonly duplicates: Failure[];
  readonly survivors: ProcessGroup[];
  readonly killed: ProcessGroup[];
  readonly discarded: string[];
  readonly keys: { coordinator: KeyPair; host: KeyPair };
  /** What probes of the action answer. */
  applied: Applied;
  /** What its probe measures; an error is thrown. */
  measured: JsonObject | Error;
  /** What its check captures; an error is thrown. */
  before: JsonObject | Failure;
  /** Whether the host is being shut down. */
  goingDown: boolean;
  /** Runs end by themselves at once, unless a test wants to end them. */
  holdRuns: boolean;
  /** The same for checks. */
  holdChecks: boolean;
  command(change?: Partial<Command>): Command;
  give(command: Command, key?: KeyPair): Promise<Delivered>;
  control(body: Pick<Control, 'type' | 'id'> & Record<string, unknown>): Promise<Delivered>;
  query(query: Record<string, unknown> & { verb: Query['verb'] }): Promise<Answer>;
  reports(): Report[];
  runs(): Call[];
  logs: { level: string; message: string }[];
}

export async function smallWorld(options: SmallWorldOptions = {}): Promise<SmallWorld> {
  const clock = options.clock ?? manualClock();
  const storage = options.storage ?? memoryStorage();
  const keys = options.keys ?? { coordinator: createKeyPair(), host: createKeyPair() };
  const bus = fakeBus();
  const identity: Identity = {
    ...{ mesh: 'lab', host: 'h1', labels: {}, machine: 'm1', boot: 'b1', instance: 'i1', version: '0.0.0' },
    ...options.identity,
  };
  const now = options.coordinatorNowMs ?? clock.nowMs;
  bus.reply = () => {
    const nowMs = now();
    return nowMs === undefined
      ? undefined
      : seal('reply', { type: 'heard', coordinator: 'c', nowMs }, keys.coordinator);
  };
  const newId = () => options.newId ?? 'journal-1';
  const journal = openJournal(storage, { identity, newId, nowMs: clock.nowMs });
  const { calls, survivors, killed, discarded, duplicates, logs } = world();
  survivors.push(...(options.workbenchSurvivors ?? []));
  const small = {
    applied: options.applied ?? ('cannot-tell' as Applied),
    measured: { value: 1 } as JsonObject | Error,
    before: { was: 'so' } as JsonObject | Failure,
    holdRuns: false,
    holdChecks: false,
    goingDown: false,
  };
  const action = fakeAction(calls, small);
  const workbench: Workbench = {
    open: (request) => fakeExecution(request, clock),
    survivors: async () => [...survivors],
    killGroup(group) {
      killed.push(group);
      survivors.splice(survivors.indexOf(group), 1);
    },
    discard: (run) => void discarded.push(run),
  };
  const probe = defineProbe({
    ...{ name: 'test.probe', version: 1, summary: 'a probe', values: {} },
    schema: z.object({ fail: z.string().optional() }),
    async sample(_, { fail }) {
      if (fail) throw new Error(fail);
      if (small.measured instanceof Error) throw small.measured;
      return { ...small.measured };
    },
  });
  const agent = createAgent(
    {
      ...{ bus, journal, clock, workbench, signer: keys.host },
      random: { uuid: () => 'uuid', fraction: () => 0.5 },
      reader: {
        facts: async () => ({}),
        load: () => ({ agentRssBytes: 1 }),
        goingDown: async () => small.goingDown,
      },
      toolbox: {
        policy: options.policy ?? EVERYTHING,
        actionByName: (name) => (name === action.name ? action : undefined),
        probeByName: (name) => (name === probe.name ? probe : undefined),
        actions: ['test.action@1'],
        probes: ['test.probe@1'],
      },
      log: (level, message) => void logs.push({ level, message }),
    },
    {
      identity,
      authority: options.authority,
      ...{ coordinators: [keys.coordinator.publicKey], concurrency: options.concurrency ?? 4 },
      ...{ maxSkewMs: 30_000, stopTimeoutMs: 1_000 },
      onDuplicate: (failure) => void duplicates.push(failure),
    },
  );
  await agent.start();
  await settled();

  const authority = () => {
    const { journal: id, machine } = journal.state.identity;
    return {
      ...{ mesh: 'lab', host: 'h1', run: RUN, epoch: 1, nonce: 'n1', head: { sequence: 1, hash: 'h' } },
      ...{ journal: id, machine, sentAtMs: clock.nowMs() },
    };
  };
  const trusts = (key: string) => key === keys.host.publicKey;

  return Object.assign(small, {
    ...{ bus, clock, storage, journal, agent, calls, duplicates, survivors, killed, discarded, keys, logs },
    command: (change: Partial<Command> = {}) => commandOf({ ...authority(), ...change }, clock),
    async give(command: Command, key: KeyPair = keys.coordinator) {
      const delivered = bus.deliver(command.id, seal('command', Command.parse(command), key));
      await settled();
      return delivered;
    },
    async control(body: Pick<Control, 'type' | 'id'> & Record<string, unknown>) {
      const delivered = bus.deliverControl(body.id, seal('control', { ...authority(), ...body }, keys.coordinator));
      await settled();
      return delivered;
    },
    async query(query: Record<string, unknown> & { verb: Query['verb'] }) {
      const data = seal('query', { mesh: 'lab', host: 'h1', nonce: 'q', ...query }, keys.coordinator);
      return open(await bus.ask(query.verb, data), { kind: 'answer', schema: Answer, trusts }).payload;
    },
    reports: () => bus.published.map(({ data }) => open(data, { kind: 'report', schema: Report, trusts }).payload),
    runs: () => calls.filter(({ what }) => what === 'run' || what === 'undo'),
  });
}

function world() {
  return {
    calls: [] as Call[],
    survivors: [] as ProcessGroup[],
    killed: [] as ProcessGroup[],
    discarded: [] as string[],
    duplicates: [] as Failure[],
    logs: [] as { level: string; message: string }[],
  };
}

type Authority = Pick<
  Command,
  'mesh' | 'host' | 'run' | 'epoch' | 'nonce' | 'head' | 'journal' | 'machine' | 'sentAtMs'
>;

function commandOf(change: Partial<Command> & Authority, clock: ManualClock): Command {
  const { run, host, step = 's', direction = 'do', attempt = 1 } = change;
  const parts = { run, host, step, direction, attempt };
  return {
    ...parts,
    id: commandId(parts),
    planHash: 'p',
    notAfterMs: clock.nowMs() + 60_000,
    timeoutMs: 600_000,
    action: 'test.action',
    version: 1,
    with: {},
    ...change,
  };
}

function fakeAction(
  calls: Call[],
  small: { applied: Applied; before: JsonObject | Failure; holdRuns: boolean; holdChecks: boolean },
): Action {
  const call = (what: Call['what'], about: Pick<Call, 'input' | 'receipt' | 'begun' | 'signal'>) =>
    new Promise<JsonObject>((resolve, reject) => {
      calls.push({ what, ...about, resolve: (receipt = {}) => resolve(receipt), reject });
      const held = what === 'check' ? small.holdChecks : small.holdRuns && what !== 'probe';
      if (!held) resolve({});
    });
  return defineAction({
    ...{ name: 'test.action', version: 1, summary: 'an action', does: 'do it', touches: [] },
    effect: 'reversible',
    schema: z.looseObject({ strict: z.literal(true).optional() }) as unknown as z.ZodType<JsonObject>,
    async check({ signal }, input) {
      await call('check', { input, receipt: {}, signal });
      const { before } = small;
      if ('code' in before) return { before: {}, problems: [before as Failure] };
      return { before: before as JsonObject, problems: [] };
    },
    run: ({ signal }, input, receipt) => call('run', { input, receipt, signal }),
    undo: ({ signal }, input, receipt) => call('undo', { input, receipt, signal }),
    async probe({ signal }, input, { receipt, begun }) {
      await call('probe', { input, receipt, signal, ...(begun && { begun }) });
      return small.applied;
    },
  });
}

function fakeExecution({ executionId, signal }: ExecutionRequest, clock: ManualClock): Execution {
  return {
    context: {
      ...{ host: 'h1', labels: {}, executionId, signal },
      exec: async () => ({
        ...{ exitCode: 0, signal: undefined, stdout: '', stderr: '', timedOut: false, durationMs: 0 },
      }),
      print() {},
      secret: async () => '',
      nowMs: clock.nowMs,
      sleep: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
    },
    redact: (value) => value,
    close: async () => ({ outputBytes: 0 }),
  };
}
