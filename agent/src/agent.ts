import type { AgentBus, Unsubscribe } from '@signalbox/bus';
import type { Failure, Privileges } from '@signalbox/protocol';
import type { Signer } from '@signalbox/protocol/crypto';
import { createHeart } from './health.ts';
import type { HostKey } from './host-key.ts';
import { compact } from './journal/compact.ts';
import type { Journal } from './journal/journal.ts';
import { createKeyHandler } from './key-queries.ts';
import { createCommandLoop } from './loop/commands.ts';
import { createControlHandler } from './loop/controls.ts';
import { createMeshTime } from './loop/mesh-time.ts';
import { createProofs } from './loop/proof.ts';
import { createPublisher } from './loop/publisher.ts';
import { recover } from './loop/recovery.ts';
import { createRunner } from './loop/runner.ts';
import { createSlots } from './loop/slots.ts';
import { createVotes } from './loop/votes.ts';
import type { Clock, HostReader, Identity, Log, NoteProblem, Random, Toolbox, Workbench } from './ports.ts';
import { createQueryHandler, QUERY_VERBS } from './queries.ts';

/** The world that an agent lives in. */
export interface AgentPorts {
  bus: AgentBus;
  journal: Journal;
  clock: Clock;
  random: Random;
  workbench: Workbench;
  reader: HostReader;
  toolbox: Toolbox;
  signer: Signer;
  log: Log;
}

export interface AgentOptions {
  identity: Identity;
  /** Public keys of the coordinators that this host obeys. */
  coordinators: readonly string[];
  /** What this host says of its curve key (`stateKeys`). */
  keys?: () => string | undefined;
  /** The key that signs, where it can be replaced. */
  key?: HostKey;
  /** Public key of who vouches for operators: nothing is done that none of them has signed. Left out: coordinators are obeyed. */
  authority?: string | undefined;
  privileges?: Privileges | undefined;
  concurrency: number;
  maxSkewMs: number;
  stopTimeoutMs: number;
  /** Another agent is alive under this name (SB-HOST-DUPLICATE), and this one is to go. */
  onDuplicate: (failure: Failure) => void;
  /** For who watches over this process: its loop has come round. */
  onRound?: () => void;
  /** Whether a coordinator hears this host has changed. */
  onHeard?: (heard: boolean) => void;
}

export interface Agent {
  start(): Promise<void>;
  /** Takes nothing more, lets running steps go on for a while, sends what is owed. What still runs goes on without it. */
  stop(): Promise<void>;
}

/** How long the reports may take to reach the stream when the agent stops; the journal keeps what does not. */
const FLUSH_MS = 3_000;

/** Puts the parts together. Knows of no host and no NATS: those are behind the ports. */
export function createAgent(ports: AgentPorts, options: AgentOptions): Agent {
  const { bus, journal, clock, log } = ports;
  const { identity, authority, privileges, keys = () => undefined, key } = options;
  const { concurrency, maxSkewMs, stopTimeoutMs } = options;
  const coordinators = new Set(options.coordinators);
  const trusts = (publicKey: string) => coordinators.has(publicKey);
  const time = createMeshTime(clock, { maxSkewMs });
  const slots = createSlots(concurrency);
  const publisher = createPublisher(ports);
  const runner = createRunner({ ...ports, publisher });
  const problem: NoteProblem = (failure, fields = {}) => {
    log('warn', 'message refused', { ...fields, code: failure.code, reason: failure.message });
    heart.note(failure);
  };
  const present = () => {
    return { journal: journal.state.identity.journal, running: runner.running(), refusing: journal.failure };
  };
  const { onDuplicate, onRound = () => {} } = options;
  const onHeard = (heard: boolean) => {
    if (heard) publisher.publishAll();
    options.onHeard?.(heard);
  };
  const saying = { identity, authority, privileges, keys, present };
  const heart = createHeart({ ...ports, ...saying, time, trusts, onDuplicate, onRound, onHeard });
  const votes = createVotes({ ...ports, publisher, problem });
  const { mesh } = identity;
  const proofs = authority === undefined ? undefined : createProofs({ mesh, authority, nowMs: clock.nowMs });
  const commands = createCommandLoop({ ...ports, time, slots, runner, votes, publisher, problem, trusts, proofs });
  const controls = createControlHandler({ ...ports, commands, runner, votes, publisher, problem, trusts });
  const queries = createQueryHandler({ ...ports, problem, trusts });
  const subscriptions: Unsubscribe[] = [];

  return {
    async start() {
      if (journal.failure === undefined) await journal.sync();
      else log('error', 'no command is accepted', { code: journal.failure.code, reason: journal.failure.message });
      bus.onConnection((connected) => {
        if (connected) publisher.publishAll();
      });
      if (journal.failure === undefined) {
        compact(journal);
        void Promise.all(recover({ ...ports, publisher, slots, runner }));
        await votes.takeBackOld();
      }
      // Control first: a withdrawal that waits must be known before the command that it withdraws.
      subscriptions.push(await bus.controls(controls));
      subscriptions.push(await bus.commands((delivery) => commands.handle(delivery)));
      for (const verb of QUERY_VERBS) subscriptions.push(await bus.answer(verb, queries));
      if (key) subscriptions.push(await bus.answer('key', createKeyHandler({ identity, key, log, problem, trusts })));
      heart.start();
      log('info', 'agent started', { journal: journal.state.identity.journal, concurrency });
    },
    async stop() {
      const running = runner.running();
      log('info', 'stopping', { running });
      commands.stop();
      await runner.finished(stopTimeoutMs);
      await publisher.flushed(FLUSH_MS);
      heart.stop();
      for (const unsubscribe of subscriptions) await unsubscribe();
      const left = runner.running();
      if (left.length > 0) log('warn', 'steps go on without the agent; the next start finds out about them', { left });
      log('info', 'stopped');
    },
  };
}
