import type { AgentBus } from '@signalbox/bus';
import { BEAT_MS, type Failure, type Health, HealthReply, type Json, type Privileges } from '@signalbox/protocol';
import { open, type Signer, seal } from '@signalbox/protocol/crypto';
import { failureOf } from './loop/ask.ts';
import type { MeshTime } from './loop/mesh-time.ts';
import type { Cancel, Clock, HostReader, Identity, Log, Toolbox } from './ports.ts';

/** Facts change slowly; reading them starts a process or two. */
const FACTS_MS = 10 * 60_000;
/** The newest few problems go with a beat; all of them are in the log. */
const MAX_PROBLEMS = 8;
/** The coordinator's code for two agents of one name. */
const DUPLICATE = 'SB-HOST-DUPLICATE';

export interface Heart {
  start(): void;
  stop(): void;
  /** Goes with the next beat that is heard. */
  note(failure: Failure): void;
}

export interface HeartPorts {
  bus: AgentBus;
  clock: Clock;
  log: Log;
  reader: HostReader;
  signer: Signer;
  identity: Identity;
  /** Whose operators this host obeys; undefined: a coordinator's word is enough. */
  authority: string | undefined;
  /** Who speaks to the network. */
  privileges: Privileges | undefined;
  toolbox: Toolbox;
  time: MeshTime;
  /** What this host says of its curve key. */
  keys: () => string | undefined;
  /** What changes from beat to beat. */
  present: () => { journal: string; running: string[]; refusing: Failure | undefined };
  trusts: (publicKey: string) => boolean;
  /** Another agent is alive under this name, and this one is to go. */
  onDuplicate: (failure: Failure) => void;
  /** The loop has come round once more, whether anybody answered or not. */
  onRound: () => void;
  /** Whether a coordinator hears this host has changed. */
  onHeard: (heard: boolean) => void;
}

/** Beats every two seconds. An answer says that a coordinator hears, and what its clock reads [I7]. */
export function createHeart(ports: HeartPorts): Heart {
  const { bus, clock, log, reader, signer, identity, authority, toolbox, time, keys, present } = ports;
  const { privileges, trusts, onDuplicate, onRound, onHeard } = ports;
  let facts: Record<string, Json> = {};
  let factsAtMs = Number.NEGATIVE_INFINITY;
  let problems: Failure[] = [];
  let heard: boolean | undefined;
  let refusal: string | undefined;
  let cancel: Cancel = () => {};
  let stopped = false;

  async function beat(): Promise<void> {
    const sent = problems.slice(-MAX_PROBLEMS);
    const sentMonotonicMs = clock.monotonicMs();
    const answer = bus.connected ? await bus.beat(seal('health', healthOf(sent), signer)) : undefined;
    if (stopped) return;
    if (answer === undefined) return hear(false);
    const { payload: reply } = open(answer, { kind: 'reply', schema: HealthReply, trusts });
    if (reply.type === 'refused') return refused(reply.failure);
    time.learn({ sentMonotonicMs, coordinatorNowMs: reply.nowMs });
    problems = problems.filter((problem) => !sent.includes(problem));
    hear(true);
  }

  /** A name that another agent has is given up. Anything else may be put right over there: this host waits. */
  function refused(failure: Failure): void {
    if (failure.code === DUPLICATE) onDuplicate(failure);
    else if (refusal !== failure.code) log('error', 'the coordinator does not take this host', { ...failure });
    refusal = failure.code;
    heard = false;
  }

  function healthOf(sent: Failure[]): Health {
    const { mesh, host, instance, machine, boot, version, labels } = identity;
    const { journal, running, refusing } = present();
    const said = keys();
    return {
      mesh,
      host,
      instance,
      journal,
      machine,
      boot,
      version,
      labels: { ...labels },
      actions: [...toolbox.actions],
      probes: [...toolbox.probes],
      facts,
      ...(toolbox.policy.sha256 === undefined ? {} : { policy: toolbox.policy.sha256 }),
      ...(said === undefined ? {} : { keys: said }),
      ...(authority === undefined ? {} : { authority }),
      ...(privileges === undefined ? {} : { privileges }),
      load: reader.load(),
      running,
      ...(refusing && { refusing }),
      ...(sent.length > 0 && { problems: sent }),
      sentAtMs: clock.nowMs(),
    };
  }

  function hear(now: boolean): void {
    if (heard === now) return;
    heard = now;
    onHeard(now);
    if (now) refusal = undefined;
    if (now) log('info', 'a coordinator hears this host', { skewMs: Math.round(time.skewMs() ?? 0) });
    else log('warn', 'no coordinator hears this host; waiting');
  }

  async function refreshFacts(): Promise<void> {
    if (clock.monotonicMs() - factsAtMs < FACTS_MS) return;
    factsAtMs = clock.monotonicMs();
    facts = await reader.facts();
  }

  async function tick(): Promise<void> {
    const startedMs = clock.monotonicMs();
    try {
      await beat();
      await refreshFacts();
    } catch (error) {
      const { code, message } = failureOf(error);
      log('warn', 'beat', { code, reason: message });
    }
    onRound();
    const tookMs = clock.monotonicMs() - startedMs;
    if (!stopped) cancel = clock.after(Math.max(0, BEAT_MS - tookMs), () => void tick());
  }

  return {
    start: () => void tick(),
    stop() {
      stopped = true;
      cancel();
    },
    note(failure) {
      problems = [...problems, failure].slice(-MAX_PROBLEMS);
    },
  };
}
