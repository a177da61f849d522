import { type CoordinatorBus, connectCoordinator, type LocalMesh } from '@signalbox/bus';
import {
  Answer,
  Command,
  type Control,
  commandId,
  Health,
  type HealthReply,
  type Query,
  Report,
} from '@signalbox/protocol';
import { type KeyPair, open, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';

type Of<U, K extends keyof U, V> = U extends unknown ? (U extends Record<K, V> ? U : never) : never;
export type ControlBody = Control extends infer C
  ? C extends Control
    ? Pick<C, 'type'> & { id: string } & Partial<C>
    : never
  : never;

export interface FakeCoordinatorOptions {
  mesh: LocalMesh;
  host: string;
  run: string;
  /** What beats are answered with; undefined stays silent. */
  reply?: () => HealthReply | undefined;
}

/**
 * The other end of the wire, for tests: seals what it is told to seal, keeps what comes back. It decides nothing and hides
 * nothing, so a test says exactly what an agent is sent.
 */
export interface FakeCoordinator {
  readonly bus: CoordinatorBus;
  readonly beats: Health[];
  readonly reports: Report[];
  command(change?: Partial<Command>): Command;
  send(command: Command, key?: KeyPair): Promise<void>;
  sendRaw(id: string, data: Uint8Array): Promise<void>;
  control(body: ControlBody): Promise<Report>;
  query(query: QueryBody, key?: KeyPair): Promise<Answer | undefined>;
  outcome(id: string): Promise<Of<Report, 'type', 'outcome'>>;
  report<T extends Report['type']>(type: T, id: string): Promise<Of<Report, 'type', T>>;
  firstBeat(): Promise<Health>;
  close(): Promise<void>;
}

type QueryBody = Query extends infer Q ? (Q extends Query ? Omit<Q, 'mesh' | 'host'> : never) : never;

const heard = (): HealthReply => ({ type: 'heard', coordinator: 'fake', nowMs: Date.now() });

/** What a report is about: a command, a control, or a round of votes. */
function idOf(report: Report): string {
  if (report.type === 'vote') return `${report.step} ${report.round}`;
  return 'commandId' in report ? report.commandId : report.controlId;
}

export async function fakeCoordinator({
  mesh,
  host,
  run,
  reply = heard,
}: FakeCoordinatorOptions): Promise<FakeCoordinator> {
  const key = mesh.keys.coordinator;
  const seed = key.seed;
  const common = { servers: [mesh.url], mesh: mesh.mesh, connectTimeoutMs: 5_000 };
  const bus = await connectCoordinator({ ...common, seed, name: 'fake coordinator' });
  const trusts = (publicKey: string) => publicKey === mesh.agentKey(host).publicKey;
  const beats: Health[] = [];
  const reports: Report[] = [];
  await bus.prepare([host]);
  await bus.onBeat(async (_, data) => {
    beats.push(open(data, { kind: 'health', schema: Health, trusts }).payload);
    const answer = reply();
    // Nobody waits for this one: the agent's request ends by its own timeout.
    return answer === undefined ? await new Promise<never>(() => {}) : seal('reply', answer, key);
  });
  await bus.reports(run, 1, async ({ data, ack }) => {
    reports.push(open(data, { kind: 'report', schema: Report, trusts }).payload);
    ack();
  });

  const authority = () => {
    const beat = beats.at(-1);
    return {
      ...{ mesh: mesh.mesh, run, host, epoch: 1, nonce: 'n1', head: { sequence: 1, hash: 'h1' } },
      ...{ journal: beat?.journal ?? 'unknown', machine: beat?.machine ?? 'unknown', sentAtMs: Date.now() },
    };
  };

  async function report<T extends Report['type']>(type: T, id: string): Promise<Of<Report, 'type', T>> {
    return await until(`${type} of ${id}`, () =>
      reports.find((one): one is Of<Report, 'type', T> => {
        return one.type === type && id === idOf(one);
      }),
    );
  }

  return {
    bus,
    beats,
    reports,
    report,
    outcome: (id) => report('outcome', id),
    firstBeat: () => until('a beat', () => beats[0]),
    command(change = {}) {
      const parts = {
        run,
        host,
        step: change.step ?? 'step',
        direction: change.direction ?? ('do' as const),
        attempt: change.attempt ?? 1,
      };
      return {
        ...authority(),
        ...parts,
        id: commandId(parts),
        planHash: 'plan',
        notAfterMs: Date.now() + 60_000,
        timeoutMs: 30_000,
        action: 'exec.run',
        version: 1,
        with: { argv: ['true'], effect: 'read' },
        ...change,
      };
    },
    async send(command, by = key) {
      await bus.sendCommand(host, command.id, seal('command', Command.parse(command), by), 60_000);
    },
    sendRaw: (id, data) => bus.sendCommand(host, id, data, 60_000),
    async control(body) {
      await bus.sendControl(host, body.id, seal('control', { ...authority(), ...body }, key));
      return await report('control', body.id);
    },
    async query(query, by = key) {
      const data = seal('query', { mesh: mesh.mesh, host, ...query }, by);
      const answer = await bus.query(host, query.verb, data, 5_000);
      return answer && open(answer, { kind: 'answer', schema: Answer, trusts }).payload;
    },
    close: () => bus.close(),
  };
}
