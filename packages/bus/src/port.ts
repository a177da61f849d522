import type { OutputChunk } from '@signalbox/protocol';
import type { Signer } from '@signalbox/protocol/crypto';

/**
 * What the programs need of the mesh, as ports. NATS stands behind them here; a simulated bus can stand behind them in
 * tests. Payloads are sealed bytes: the bus carries, it does not read.
 *
 * Shared rules: nothing is published into a lost connection (the call waits for the connection or fails with
 * SB-BUS-OFFLINE); every failure is a SignalboxError with a code of BUS_CODES; handlers may throw without ending a
 * subscription (the message is then not acknowledged and comes again).
 */

export type Unsubscribe = () => Promise<void>;

export interface Connection {
  readonly connected: boolean;
  /** Called at once with the present state, then at each change. */
  onConnection(listener: (connected: boolean) => void): void;
  /** Counts since start, for metrics. */
  readonly stats: { reconnects: number; messagesIn: number; messagesOut: number };
  /** Drains and closes. Idempotent. */
  close(): Promise<void>;
}

/** A command or control as it reached the agent. The same message may come twice, live and while catching up. */
export interface Delivery {
  /** Last token of the subject. */
  readonly id: string;
  readonly data: Uint8Array;
  /** Keeps the stream from delivering again while the agent waits for a free slot. Cheap; call every few seconds. */
  working(): void;
  /** Done with it: accepted (intent is on disk) or answered from the journal. */
  ack(): void;
  /** Never deliver it again: refused, with a report. */
  terminate(): void;
}

export interface AgentBus extends Connection {
  /** Live delivery with catch-up through the durable consumer; starts again by itself after a reconnect. */
  commands(handler: (delivery: Delivery) => Promise<void>): Promise<Unsubscribe>;
  /** Own lane: never waits behind commands. */
  controls(handler: (delivery: Delivery) => Promise<void>): Promise<Unsubscribe>;
  /** Resolves when the stream has stored the report; the caller keeps it in the journal until then. */
  report(run: string, data: Uint8Array): Promise<void>;
  /** Asynchronous, may be dropped under pressure; never awaited by a step. */
  output(chunk: Pick<OutputChunk, 'run' | 'step' | 'commandId' | 'seq'>, data: Uint8Array): void;
  /** One beat; the coordinator's reply, or undefined when none hears. */
  beat(data: Uint8Array): Promise<Uint8Array | undefined>;
  /** Answers queries as a NATS service (discoverable by `nats micro ls`). */
  answer(verb: string, handler: (data: Uint8Array) => Promise<Uint8Array>): Promise<Unsubscribe>;
}

export interface StoredEntry {
  /** Stream sequence: what the next append expects. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

export interface IncomingReport {
  readonly host: string;
  readonly run: string;
  readonly data: Uint8Array;
  ack(): void;
}

/** A key of the bucket `leases`. */
export interface Lease {
  readonly name: string;
  /** Grows with each write; 0: nobody has written it. */
  readonly revision: number;
  readonly data: Uint8Array;
}

export interface CoordinatorBus extends Connection {
  /** Makes streams, consumers of enrolled hosts and buckets, idempotently. */
  prepare(hosts: readonly string[]): Promise<void>;

  /**
   * Appends to a run's log by compare-and-set on its last stream sequence (0: the first entry).
   * @returns the new sequence, or `conflict` when somebody else was first. A lost acknowledgement of one's own append is
   * recognised by reading the last entry and is no conflict.
   */
  append(run: string, data: Uint8Array, expectedSequence: number): Promise<{ sequence: number } | 'conflict'>;
  /** All entries of a run from the stream's leader, in order. */
  readRun(run: string): Promise<StoredEntry[]>;
  /** Every run id that has a log. */
  listRuns(): Promise<string[]>;
  lastEntry(run: string): Promise<StoredEntry | undefined>;

  /** The leases of a kind as the stream's leader has them. */
  readLeases(kind: string): Promise<Lease[]>;
  readLease(kind: string, name: string): Promise<Lease | undefined>;
  /**
   * Writes a lease that stands at `revision` (0: that is not there). `conflict`: somebody else has written or dropped it.
   * A lost acknowledgement of one's own write is recognised and is no conflict.
   */
  writeLease(kind: string, lease: Lease): Promise<{ revision: number } | 'conflict'>;
  dropLease(kind: string, lease: Pick<Lease, 'name' | 'revision'>): Promise<'dropped' | 'conflict'>;

  putBlob(sha256: string, data: Uint8Array): Promise<void>;
  getBlob(sha256: string): Promise<Uint8Array | undefined>;

  /** Stored for the host until `ttlMs` has passed; publishing the same id again is harmless. */
  sendCommand(host: string, id: string, data: Uint8Array, ttlMs: number): Promise<void>;
  sendControl(host: string, id: string, data: Uint8Array): Promise<void>;
  /**
   * Reports of one run, each until acknowledged, from where the leadership before `epoch` stopped. A leader that is asleep
   * keeps no report from the next.
   */
  reports(run: string, epoch: number, handler: (report: IncomingReport) => Promise<void>): Promise<Unsubscribe>;
  /** Request and reply; undefined when the host does not answer in time. Never a success by silence [I11]. */
  query(host: string, verb: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined>;

  onBeat(handler: (host: string, data: Uint8Array) => Promise<Uint8Array>): Promise<Unsubscribe>;
  putHost(name: string, data: Uint8Array): Promise<void>;
  getHosts(): Promise<Map<string, Uint8Array>>;

  /**
   * Serves operators' requests as a NATS service; the verb is the last token of the subject. Every coordinator hears every
   * request; the first answer counts. Undefined: another one answers.
   */
  serve(
    verbs: readonly string[],
    handler: (verb: string, data: Uint8Array) => Promise<Uint8Array | undefined>,
  ): Promise<Unsubscribe>;
  /** Answers what other coordinators ask this one, under a name that nobody else has. */
  servePeer(peer: string, handler: (question: Uint8Array) => Promise<Uint8Array>): Promise<Unsubscribe>;
  /** Undefined: nobody of that name listens. @throws SB-BUS-TIMEOUT when somebody does and does not answer. */
  askPeer(peer: string, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined>;
  publishStatus(what: string, name: string, data: Uint8Array): void;
  /** What hosts have reported of a run, as far back as the stream reaches. */
  readReports(run: string): Promise<StoredEntry[]>;
  readOutput(
    run: string,
    fromSequence: number,
    limit: number,
  ): Promise<{ chunks: { sequence: number; data: Uint8Array }[]; next: number }>;

  /** For `doctor`: server version, JetStream state, streams and their use, sync setting where it can be known. */
  inspect(): Promise<BusInspection>;
}

export interface BusInspection {
  serverVersion: string;
  serverName: string;
  jetstream: boolean;
  roundTripMs: number;
  storage: { usedBytes: number; limitBytes: number | undefined };
  streams: { name: string; messages: number; bytes: number; replicas: number; leader: boolean }[];
  /** `undefined` where the server does not tell. */
  healthy: boolean | undefined;
}

export interface OperatorBus extends Connection {
  /** @throws SB-BUS-NO-COORDINATOR when nobody serves the verb, SB-BUS-TIMEOUT when nobody answers in time. */
  request(verb: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Status events (CloudEvents), as they come. */
  status(handler: (subject: string, data: Uint8Array) => void): Promise<Unsubscribe>;
}

/** How a program reaches the mesh. */
export interface BusOptions {
  servers: string[];
  mesh: string;
  /**
   * nkey seed of the connecting user; also the identity that signs. A function is asked at each connect, and may give what signs in
   * the place of a seed: its `publicKey` is looked at when it has signed.
   */
  seed: string | (() => string | Signer);
  /** What an operator of NATS says of the key, where NATS knows users by JWT. */
  jwt?: string | undefined;
  /** Where answers come to; default: named after the key. A host's is named after the host, whose key may be replaced. */
  inbox?: string;
  /** Authorities, in PEM, that the server's certificate is checked with. Given: a server without TLS is refused. */
  ca?: string | undefined;
  /** Shown in the server's connection list. */
  name: string;
  /** Waits for the first connection with back-off for so long; 0 waits for ever. */
  connectTimeoutMs: number;
  /** Ends the waiting for the first connection; the call then rejects with the signal's reason. */
  signal?: AbortSignal;
  log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;
}
