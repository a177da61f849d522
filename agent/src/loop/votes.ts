import type { Delivery } from '@signalbox/bus';
import {
  type Command,
  type Control,
  DEFAULTS,
  type Failure,
  type VoteEvidence,
  type VoteGuard,
} from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { agentError } from '../codes.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordBody, Stored } from '../journal/records.ts';
import { hasBegunBehind, isBound } from '../journal/state.ts';
import type { Log, NoteProblem } from '../ports.ts';
import { authorityFailure } from './judge.ts';
import { type LookPorts, lookAt } from './look.ts';
import type { Publisher } from './publisher.ts';

type VoteControl = Extract<Control, { type: 'vote' }>;
type VoteBody = Extract<RecordBody, { type: 'vote' }>;

/**
 * This host's part in crossing a point of no return [D4]: it looks at its guards, promises on disk to undo nothing until
 * it is released, goes on watching while its vote can be relied on, and looks once more before what it is crossed for.
 */
export interface Votes {
  /** Answers a request for a vote; it is acknowledged when the vote is on disk. */
  cast(control: VoteControl, delivery: Delivery): Promise<void>;
  /** Why what the point was crossed for must not begin on this host; undefined when nothing stands against it. */
  objection(command: Command): Promise<Failure | undefined>;
  /** Takes back what the last agent process voted: nobody has watched since it went down. */
  takeBackOld(): Promise<void>;
}

export interface VotePorts extends LookPorts {
  journal: Journal;
  log: Log;
  publisher: Publisher;
  problem: NoteProblem;
}

export function createVotes(ports: VotePorts): Votes {
  const { journal, clock, log, publisher, problem } = ports;
  /** Being looked into, by control: the same request may come live and by catching up. */
  const pending = new Map<string, Delivery[]>();

  async function cast(control: VoteControl, delivery: Delivery): Promise<void> {
    const others = pending.get(control.id);
    if (others !== undefined) return void others.push(delivery);
    const askedMs = clock.monotonicMs();
    const deliveries = [delivery];
    pending.set(control.id, deliveries);
    try {
      const known = journal.state.runs.get(control.run)?.vote?.record;
      // Another round of that number: the log has lost the one that this host has voted in.
      const isSame = known?.round === control.round && known.roundNonce === control.roundNonce;
      if (known && isSame) return await tell(known, deliveries);
      const evidence = await lookAll(control.guards, control.id);
      if (journal.failure !== undefined) return;
      const deposed = authorityFailure(journal.state, control);
      if (deposed !== undefined) {
        problem(deposed, { control: control.id });
        for (const copy of deliveries) copy.terminate();
        return;
      }
      const record = vote(control, evidence);
      await tell(record, deliveries);
      if (record.vote === 'yes') watch(record, askedMs);
    } finally {
      pending.delete(control.id);
    }
  }

  /** Decided and written in one go, so that no undo is accepted in between. */
  function vote(control: VoteControl, evidence: VoteEvidence[]): Stored<'vote'> {
    const { id, run, epoch, nonce, head, step, round, roundNonce, validMs, guards } = control;
    const why = isOver(run, round) ? 'this round is over' : undefined;
    const against = why !== undefined || evidence.some((found) => found.why !== undefined);
    const body: VoteBody = {
      type: 'vote',
      id,
      run,
      epoch,
      nonce,
      head,
      step,
      round,
      roundNonce,
      validMs,
      guards,
      evidence,
      vote: 'yes',
    };
    return append({ ...body, ...(against ? { vote: 'no' as const } : {}), ...(why === undefined ? {} : { why }) });
  }

  function isOver(run: string, round: number): boolean {
    const known = journal.state.runs.get(run);
    if (known === undefined) return false;
    return known.closed || round <= Math.max(known.releasedThrough, known.vote?.record.round ?? 0);
  }

  function append(body: VoteBody): Stored<'vote'> {
    const record = journal.append(body);
    log('info', `votes ${body.vote}`, { run: body.run, step: body.step, round: body.round, why: whyOf(body) });
    return { ...body, n: record.n, atMs: record.atMs };
  }

  async function tell(record: Stored<'vote'>, deliveries: readonly Delivery[]): Promise<void> {
    await journal.sync();
    for (const delivery of deliveries) delivery.ack();
    publisher.publish(record);
  }

  /** For as long as the vote can be relied on: a guard that breaks takes it back. */
  function watch(record: Stored<'vote'>, sinceMs: number): void {
    const { guards, validMs, run, round } = record;
    if (guards.length === 0) return;
    const everyMs = Math.min(...guards.map((guard) => guard.everyMs));
    clock.after(everyMs, () => {
      lookAgain().catch((error: unknown) => log('error', 'vote', { run, reason: String(error) }));
    });

    async function lookAgain(): Promise<void> {
      const counts = () => isStanding(run, round) && clock.monotonicMs() - sinceMs < validMs;
      if (!counts()) return;
      const evidence = await lookAll(guards, `${run}.${round}`);
      if (!counts() || journal.failure !== undefined) return;
      if (evidence.some(({ why }) => why !== undefined)) await takeBack(record, { evidence });
      else watch(record, sinceMs);
    }
  }

  /** Still a yes, and nobody has said yet what came of the round. */
  function isStanding(run: string, round: number): boolean {
    const known = journal.state.runs.get(run);
    return known?.vote?.record.round === round && !known.vote.takenBack && isBound(known);
  }

  async function takeBack(
    record: Stored<'vote'>,
    change: Pick<VoteBody, 'evidence'> & { why?: string },
  ): Promise<void> {
    const { n: _n, atMs: _atMs, why: _why, ...body } = record;
    await tell(append({ ...body, ...change, vote: 'no' }), []);
  }

  async function lookAll(guards: readonly VoteGuard[], name: string): Promise<VoteEvidence[]> {
    return await Promise.all(
      guards.map((guard) => {
        const executionId = `vote.${sha256(`${name} ${guard.step}`).slice(0, 12)}`;
        return lookAt(ports, guard, { executionId, timeoutMs: DEFAULTS.queryTimeoutMs });
      }),
    );
  }

  return {
    cast,
    async objection({ id, run, host, crossing }) {
      if (!crossing?.votes.some((given) => given.host === host)) return undefined;
      const known = journal.state.runs.get(run);
      // What has begun here already may be what the guards would find.
      if (known?.vote === undefined || hasBegunBehind(journal.state, run, crossing.round)) return undefined;
      const evidence = await lookAll(known.vote.record.guards, id);
      const broken = evidence.filter(({ why }) => why !== undefined);
      // What has come back weighs more than what could not be looked at.
      const worst = broken.find(({ values }) => values !== undefined) ?? broken[0];
      const code = worst?.values === undefined ? 'SB-AGENT-GUARD-UNSEEN' : 'SB-AGENT-GUARD';
      return worst && agentError(code, `${worst.step}: ${worst.why}`).failure;
    },
    async takeBackOld() {
      for (const [run, { vote: old }] of journal.state.runs) {
        if (!old || old.record.guards.length === 0 || !isStanding(run, old.record.round)) continue;
        await takeBack(old.record, { evidence: [], why: 'the agent went down after its vote and did not watch' });
      }
    },
  };
}

function whyOf({ why, evidence }: VoteBody): string | undefined {
  return why ?? evidence.find((found) => found.why !== undefined)?.why;
}
