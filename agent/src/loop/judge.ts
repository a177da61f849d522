import type { Action } from '@signalbox/actions';
import { type Command, commandId, type Direction, type Failure, type JsonObject } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import { isBound, type JournalState, stepKey, strangeIn } from '../journal/state.ts';
import type { Policy } from '../policy/policy.ts';
import { contentOf } from './content.ts';
import type { TimeBound } from './mesh-time.ts';
import { type Asked, startFailure } from './proof.ts';

/** What to do with a command. The whole of D1's and D2's checks; nothing outside this file decides it. */
export type Verdict =
  /** Intent is on disk, the outcome is not yet: it runs, or is being found out about. */
  | { type: 'running' }
  /** It was ended or refused before: its reports are published again, also after `notAfter`. */
  | { type: 'answer' }
  /** Not for us, or under a false id: no report, because it would be about somebody else's command. */
  | { type: 'reject'; failure: Failure }
  /** Was not done and never will be: journaled and reported. */
  | { type: 'refuse'; failure: Failure }
  /** The coordinator's time is not known yet, or a vote has not been released. */
  | { type: 'wait'; failure: Failure }
  | { type: 'go' };

export interface Surroundings {
  time: TimeBound;
  policy: Policy;
  actionByName: (name: string) => Action | undefined;
  /** Left out where the coordinator's word is enough. */
  asked?: Asked | undefined;
}

export function judgeCommand(state: JournalState, command: Command, around: Surroundings): Verdict {
  const stray = strayFailure(state, command);
  if (stray) return { type: 'reject', failure: stray };
  const known = judgeKnown(state, command);
  if (known) return known;
  const never =
    hostFailure(state, command) ??
    authorityFailure(state, command) ??
    withdrawnFailure(state, command) ??
    (around.asked && startFailure(state, command, around.asked)) ??
    crossingFailure(state, command) ??
    actionFailure(state, command, around);
  if (never) return { type: 'refuse', failure: never };
  return judgeVote(state, command) ?? judgeTime(command, around.time);
}

/** Addressed to somebody else, or under an id that it has no right to. */
function strayFailure(state: JournalState, command: Command): Failure | undefined {
  const { mesh, host } = command;
  if (mesh !== state.identity.mesh || host !== state.identity.host) {
    return agentError('SB-AGENT-ADDRESS', `the command is for ${mesh}/${host}`).failure;
  }
  if (command.id !== commandId(command)) {
    return agentError('SB-AGENT-ID', `${command.id} is not the id of this try at ${command.step}`).failure;
  }
  return undefined;
}

function judgeKnown(state: JournalState, command: Command): Verdict | undefined {
  const known = state.commands.get(command.id);
  if (known === undefined || known.state === 'voided') return undefined;
  if (known.content !== contentOf(command)) {
    const message = `${command.id} was asked for before, with other content`;
    return { type: 'refuse', failure: agentError('SB-AGENT-ID-CONFLICT', message).failure };
  }
  return { type: known.state === 'running' ? 'running' : 'answer' };
}

/** [I6] Older epochs are refused; so is a second leader of the same epoch. */
export function authorityFailure(
  state: JournalState,
  { run, epoch, nonce }: { run: string; epoch: number; nonce: string },
): Failure | undefined {
  const known = state.runs.get(run);
  if (known === undefined || epoch > known.epoch) return undefined;
  if (epoch < known.epoch) {
    return agentError('SB-AGENT-EPOCH', `${run}: epoch ${epoch} came after epoch ${known.epoch}`).failure;
  }
  if (nonce === known.nonce) return undefined;
  return agentError('SB-AGENT-NONCE', `${run}: epoch ${epoch} belongs to another leader`).failure;
}

/** [D2] The plan was made for this journal on this machine, or for a host that is no more. */
export function hostFailure(
  state: JournalState,
  { journal, machine }: { journal: string; machine: string },
): Failure | undefined {
  const { identity } = state;
  if (journal !== identity.journal) {
    const message = `planned for journal ${journal}; this host has journal ${identity.journal}`;
    return agentError('SB-AGENT-JOURNAL', message).failure;
  }
  if (machine === identity.machine) return undefined;
  return agentError('SB-AGENT-MACHINE', `planned for machine ${machine}; this is ${identity.machine}`).failure;
}

function withdrawnFailure(state: JournalState, command: Command): Failure | undefined {
  const { id, run, step } = command;
  if (state.runs.get(run)?.closed) return agentError('SB-AGENT-RUN-CLOSED', `run ${run} is closed`).failure;
  if (state.commands.has(id)) return agentError('SB-AGENT-VOID', `${id} was withdrawn`).failure;
  const later = state.steps.get(stepKey(run, step))?.accepted.find((accepted) => voids(accepted, command));
  return later && agentError('SB-AGENT-VOID', `${later.id} was accepted before ${id}`).failure;
}

interface Try {
  direction: Direction;
  attempt: number;
}

/** [D2] An accepted undo voids every `do` that was not accepted; an accepted attempt voids those before it. */
function voids(accepted: Try, asked: Try): boolean {
  if (accepted.direction !== asked.direction) return accepted.direction === 'undo';
  return accepted.attempt > asked.attempt;
}

/** [I3] Nothing is undone behind a point of no return, and what it was crossed for carries this host's own vote. */
function crossingFailure(state: JournalState, { run, step, host, direction, crossing }: Command): Failure | undefined {
  const known = state.runs.get(run);
  if (direction === 'undo' && known !== undefined && known.sealedBy > 0) {
    return agentError('SB-AGENT-SEALED', `${run} has crossed a point of no return: ${step} is not undone`).failure;
  }
  const mine = crossing?.votes.find((vote) => vote.host === host);
  if (!crossing || !mine) return undefined;
  const given = known?.vote?.record;
  const fits = given?.vote === 'yes' && given.n === mine.journalSequence && given.roundNonce === crossing.roundNonce;
  if (fits) return undefined;
  return agentError('SB-AGENT-VOTE', `${host} has not voted for ${crossing.step} in round ${crossing.round}`).failure;
}

/** [D4] Whoever has voted undoes nothing until it knows that the crossing came to nothing. */
function judgeVote(state: JournalState, { run, direction }: Command): Verdict | undefined {
  const known = state.runs.get(run);
  if (direction === 'do' || known === undefined || !isBound(known)) return undefined;
  const message = `${run}: this host has voted for a point of no return and is not released`;
  return { type: 'wait', failure: agentError('SB-AGENT-VOTED', message).failure };
}

function actionFailure(state: JournalState, command: Command, around: Surroundings): Failure | undefined {
  const action = around.actionByName(command.action);
  if (action === undefined) return agentError('SB-AGENT-UNKNOWN-ACTION', `no action ${command.action} here`).failure;
  if (action.version !== command.version) {
    const message = `${command.action}: planned for version ${command.version}, here is ${action.version}`;
    return agentError('SB-AGENT-ACTION-VERSION', message).failure;
  }
  if (command.direction === 'undo' && action.undo === undefined) {
    return agentError('SB-AGENT-NO-UNDO', `${command.action} has no undo`).failure;
  }
  const input = action.schema.safeParse(command.with);
  if (!input.success) {
    const issue = input.error.issues[0];
    const where = ['with', ...(issue?.path ?? [])].join('.');
    return agentError('SB-AGENT-INPUT', `${command.action}: ${where}: ${issue?.message}`).failure;
  }
  return around.policy.refusal({ kind: 'action', action, input: input.data, receipt: foreignReceipt(state, command) });
}

/** What a way back is told that this host has not written into its own journal. */
function foreignReceipt(state: JournalState, { run, step, direction, receipt }: Command): JsonObject | undefined {
  if (direction === 'do' || receipt === undefined) return undefined;
  return strangeIn(state, { run, step, receipt });
}

/** [I7] Against the latest that it can be for the coordinator. */
export function judgeTime(command: { notAfterMs: number }, time: TimeBound): Verdict {
  if (time.type === 'unknown') return { type: 'wait', failure: time.failure };
  if (time.type === 'apart') return { type: 'refuse', failure: time.failure };
  const lateMs = Math.ceil(time.latestMs - command.notAfterMs);
  if (lateMs <= 0) return { type: 'go' };
  return { type: 'refuse', failure: agentError('SB-AGENT-LATE', `not to be started after ${lateMs} ms ago`).failure };
}
