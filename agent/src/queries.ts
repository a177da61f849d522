import { type Answer, Query, type QueryVerb, SignalboxError } from '@signalbox/protocol';
import { open, type Signer, seal, sha256 } from '@signalbox/protocol/crypto';
import { agentError } from './codes.ts';
import type { Journal } from './journal/journal.ts';
import { reportOf } from './journal/report.ts';
import { bounded, failureOf } from './loop/ask.ts';
import { parseInput, sample as takeSample } from './loop/look.ts';
import { createSlots } from './loop/slots.ts';
import type { Clock, NoteProblem, Toolbox, Workbench } from './ports.ts';

export const QUERY_VERBS: readonly QueryVerb[] = ['sample', 'check', 'settle'];

/** Samples and checks at once; more wait, within their own time. */
const CONCURRENCY = 8;
const MAX_TIMEOUT_MS = 10 * 60_000;

export interface QueryPorts {
  journal: Journal;
  clock: Clock;
  toolbox: Toolbox;
  workbench: Workbench;
  signer: Signer;
  problem: NoteProblem;
  trusts: (publicKey: string) => boolean;
}

interface Bounds {
  executionId: string;
  timeoutMs: number;
}

type Ask<V extends QueryVerb> = Extract<Query, { verb: V }>;

/** Answers questions that change nothing. Each answer is signed and repeats the nonce of its question. */
export function createQueryHandler(ports: QueryPorts): (data: Uint8Array) => Promise<Uint8Array> {
  const { journal, clock, toolbox, signer, problem, trusts } = ports;
  const slots = createSlots(CONCURRENCY);

  return async function handle(data) {
    const query = read(data);
    const base = { nonce: query.nonce, host: query.host };
    let answer: Answer;
    try {
      answer = await answerOf(query);
    } catch (error) {
      answer = { verb: 'failed', ...base, failure: failureOf(error) };
    }
    return seal('answer', answer, signer);
  };

  /** @throws to the bus when it cannot be trusted: a stranger gets no signed answer. */
  function read(data: Uint8Array): Query {
    try {
      const { payload } = open(data, { kind: 'query', schema: Query, trusts });
      const { mesh, host } = journal.state.identity;
      if (payload.mesh !== mesh || payload.host !== host) {
        throw agentError('SB-AGENT-ADDRESS', `the query is for ${payload.mesh}/${payload.host}`);
      }
      return payload;
    } catch (error) {
      problem(failureOf(error), { what: 'query' });
      throw error;
    }
  }

  function answerOf(query: Query): Promise<Answer> {
    switch (query.verb) {
      case 'sample':
        return sample(query);
      case 'check':
        return check(query);
      case 'settle':
        return settle(query);
    }
  }

  async function sample(query: Ask<'sample'>): Promise<Answer> {
    const startMs = clock.monotonicMs();
    const { probe, with: input } = query;
    const values = await inTurn(query, (bounds) => takeSample(ports, { probe, with: input, ...bounds }));
    const tookMs = clock.monotonicMs() - startMs;
    return { verb: 'sample', nonce: query.nonce, host: query.host, probe, with: input, values, tookMs };
  }

  async function check(query: Ask<'check'>): Promise<Answer> {
    const action = toolbox.actionByName(query.action);
    if (action === undefined) throw agentError('SB-AGENT-UNKNOWN-ACTION', `no action ${query.action} here`);
    const input = parseInput(action, query.with);
    const refused = toolbox.policy.refusal({ kind: 'action', action, input });
    if (refused) throw new SignalboxError(refused);
    const result = await inTurn(query, (options) =>
      bounded(ports, { ...options, what: `${action.name} check` }, (context) => action.check(context, input)),
    );
    return { verb: 'check', nonce: query.nonce, host: query.host, result };
  }

  /** What became of these commands? Only what is on disk is told, and something may have ended since the sync began. */
  async function settle(query: Ask<'settle'>): Promise<Answer> {
    if (journal.failure === undefined) await journal.sync();
    const asked = query.commands.map((id) => {
      const command = journal.state.commands.get(id);
      const end = command?.outcome ?? command?.refusal;
      const isTold = end !== undefined && end.n <= journal.durableN;
      const state = end === undefined || isTold ? command?.state : 'running';
      return { id, state: state ?? ('none' as const), report: isTold ? reportOf(journal.state, end) : undefined };
    });
    const reports = asked.flatMap(({ report }) => report ?? []);
    const sealed = reports.map((report) => Buffer.from(seal('report', report, signer)).toString());
    const commands = asked.map(({ id, state }) => ({ id, state }));
    return { verb: 'settle', nonce: query.nonce, host: query.host, commands, reports, sealed };
  }

  /** Waits for its turn within the question's own time. */
  async function inTurn<T>(query: Ask<'sample' | 'check'>, work: (bounds: Bounds) => Promise<T>): Promise<T> {
    const timeoutMs = Math.min(query.timeoutMs, MAX_TIMEOUT_MS);
    const endMs = clock.monotonicMs() + timeoutMs;
    const waiting = new AbortController();
    const cancel = clock.after(timeoutMs, () => waiting.abort());
    const release = await slots.take(query.nonce, waiting.signal);
    cancel();
    if (release === undefined) throw agentError('SB-AGENT-TIMEOUT', `too many questions at once for ${timeoutMs} ms`);
    try {
      const executionId = `query.${sha256(query.nonce).slice(0, 12)}`;
      return await work({ executionId, timeoutMs: Math.max(1, endMs - clock.monotonicMs()) });
    } finally {
      release();
    }
  }
}
