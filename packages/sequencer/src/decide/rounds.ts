import { describeBroken, judge, type VoteEvidence } from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import { untilOf } from '../conditions.ts';
import type { Input } from '../inputs.ts';
import { isMoving, type RunState } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { guardsOf, openRound, roundWork } from '../voters.ts';
import { cellOf } from '../walk.ts';
import { currentTry, type Draft } from './draft.ts';
import { sendBack, voidWhatReliedOn } from './relied-on.ts';

type Voted = Extract<Input, { type: 'voted' }>;

/**
 * The last look before a point of no return [D4]. It is crossed when every host concerned has voted for it in this round,
 * in time. A vote that comes late, or answers another round, is nothing.
 */
export function onVoted(draft: Draft, { type: _, roundNonce, ...input }: Voted): void {
  const ref = draft.ref(input.step, null);
  const round = ref && openRound(draft.state, ref);
  if (!round || !isMoving(draft.state) || round.round !== input.round || round.roundNonce !== roundNonce) return;
  const known = draft.state.votes.get(input.host)?.vote;
  if (known === 'no' || known === input.vote || !round.voters.some(({ host }) => host === input.host)) return;
  if (draft.now.runMs >= round.deadlineRunMs) return;
  draft.emit({ type: 'VoteGiven', ...input });
  concludeRound(draft, ref);
}

/** Begins a round, or the one after it: under another leader, or when it asks for something else. */
export function startRound(draft: Draft, ref: CellRef): void {
  const work = roundWork(draft.state, ref, draft.now.runMs);
  draft.emit({ type: 'StepStarted', ...currentTry(draft.cell(ref)), work });
  concludeRound(draft, ref);
}

/**
 * A round that is open is asked once more. Votes are good for a time that their leader measures: nobody knows how long
 * ago a leader before it asked, or what was missed while the run stood still.
 */
export function askVotersAgain(draft: Draft): void {
  if (!isMoving(draft.state)) return;
  for (const ref of indexOf(draft.state.plan).refs) {
    if (ref.leaf.kind === 'pointOfNoReturn' && openRound(draft.state, ref)) startRound(draft, ref);
  }
}

/** What the votes that have been given come to. */
export function concludeRound(draft: Draft, ref: CellRef): void {
  const round = openRound(draft.state, ref);
  if (!round) return;
  const { votes } = draft.state;
  const against = objections(draft.state, ref);
  if (against.length > 0) stayBefore(draft, ref, against);
  else if (round.voters.every(({ host }) => votes.get(host)?.vote === 'yes')) cross(draft, ref, round);
}

function cross(
  draft: Draft,
  ref: CellRef,
  { round, roundNonce, voters }: { round: number; roundNonce: string; voters: readonly { host: string }[] },
): void {
  const given = voters.flatMap(({ host }) => {
    const vote = draft.state.votes.get(host);
    return vote ? [{ host, ...vote }] : [];
  });
  draft.emit({
    type: 'Crossed',
    step: ref.leaf.id,
    round,
    roundNonce,
    votes: given.map(({ host, journalSequence }) => ({ host, journalSequence })),
    evidence: given.flatMap(({ host, evidence }) => evidence.map((found) => ({ host, ...found }))),
  });
  draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'sample' });
}

/** What stands against the crossing: a guard of a host, or the host itself. */
interface Objection {
  readonly what: string;
  readonly why: string;
  readonly guard?: CellRef;
  readonly values?: VoteEvidence['values'];
}

function stayBefore(draft: Draft, ref: CellRef, against: readonly Objection[]): void {
  const { failure } = sequencerError('SB-GUARD-STALE', against.map(({ what, why }) => `${what}: ${why}`).join('; '));
  draft.emit({ type: 'StepFailed', ...currentTry(draft.cell(ref)), failure, unapplied: true });
  for (const { guard, why, values } of against) {
    if (!guard || guard.host === null) continue;
    const { phase, broken } = draft.cell(guard);
    if (phase !== 'succeeded' || broken !== undefined) continue;
    const unseen = values === undefined ? { unseen: true as const } : {};
    draft.emit({ type: 'FenceBroken', step: guard.leaf.id, host: guard.host, values: values ?? {}, why, ...unseen });
    voidWhatReliedOn(draft, guard.leaf.id);
    sendBack(draft, guard, `${guard.leaf.id} no longer holds`);
  }
  draft.hold({ cause: 'gate', step: ref.leaf.id, host: null, failure });
}

function objections(state: RunState, ref: CellRef): Objection[] {
  const guards = guardsOf(state, ref).flatMap((guard) => objectionOf(state, guard) ?? []);
  const refusals = [...state.votes].flatMap(([host, { vote, why }]) => {
    if (vote === 'yes' || guards.some(({ guard }) => guard?.host === host)) return [];
    return [{ what: host, why: why ?? 'it has voted against the crossing' }];
  });
  return [...guards, ...refusals];
}

/** The host's word is looked at again: what it measured has to agree with what the log asks for now. */
function objectionOf(state: RunState, guard: CellRef): Objection | undefined {
  const { leaf, host } = guard;
  if (leaf.kind !== 'gate' || host === null) return undefined;
  const cell = cellOf(state, guard);
  const what = `${leaf.id} on ${host}`;
  const vote = state.votes.get(host);
  const evidence = vote?.evidence.find(({ step }) => step === leaf.id);
  const said = evidence?.values === undefined ? {} : { values: evidence.values };
  if (cell.phase !== 'succeeded' || cell.broken !== undefined) {
    return { what, why: cell.broken ?? 'it is not met', guard, ...said };
  }
  // A host that says why it votes against the crossing says nothing of what it has not looked at.
  if (leaf.validWhile.length > 0 || !vote || (vote.why !== undefined && !evidence)) return undefined;
  if (evidence?.why !== undefined) return { what, why: evidence.why, guard, ...said };
  if (evidence?.values === undefined) return { what, why: 'no fresh sample could be taken', guard };
  // Two samples, the one that met the gate and the fresh one, so that a counter that has moved since is noticed.
  const window = [
    { atMs: 0, values: cell.values ?? {} },
    { atMs: 1, values: evidence.values },
  ];
  const broken = judge(untilOf(state, leaf, host), window).find((judgement) => judgement.breaks);
  return broken && { what, why: describeBroken(broken), guard, ...said };
}
