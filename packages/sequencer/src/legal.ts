import type { RunEvent } from '@signalbox/protocol';
import { cellKey } from './cell.ts';
import { sequencerError } from './codes.ts';
import { ENDED, isEnded, type RunState } from './state.ts';
import { indexOf } from './tree.ts';
import { openRound } from './voters.ts';

/**
 * What may follow what, for a run as a whole; for one step on one host it is the table in transitions.ts.
 * @throws SB-RUN-LOG: the log is damaged, or of a version that decided otherwise; this process must not lead it.
 */
export function assertMayFollow(state: RunState, event: RunEvent): void {
  const why = objection(state, event);
  if (why !== undefined) throw sequencerError('SB-RUN-LOG', `${event.type}: ${why}`);
}

function objection(state: RunState, event: RunEvent): string | undefined {
  if (isEnded(state) && event.type !== 'NoteAdded' && (event.type !== 'RunClosed' || state.closed)) {
    return `${state.run} is ${state.status}`;
  }
  if (state.status === 'planned' && event.type !== 'RunCreated' && event.type !== 'Led') return 'before RunCreated';
  if (event.type === 'Led' && event.epoch <= state.epoch) return `epoch ${event.epoch} after ${state.epoch}`;
  return fitsStatus(state, event.type) ? ofPart(state, event) : `the run is ${state.status}`;
}

function fitsStatus({ status }: RunState, type: RunEvent['type']): boolean {
  switch (type) {
    case 'RunCreated':
      return status === 'planned';
    case 'Paused':
      return status === 'running' || status === 'compensating';
    case 'Resumed':
      return status === 'held' || status === 'paused';
    case 'HoldLifted':
      return status === 'held';
    case 'RunClosed':
      return ENDED.has(status);
    default:
      return true;
  }
}

function roundOf(state: RunState, { step, round }: { step: string; round: number }) {
  const ref = indexOf(state.plan).byKey.get(cellKey(step, null));
  const open = ref && openRound(state, ref);
  return open?.round === round ? open : undefined;
}

function ofPart(state: RunState, event: RunEvent): string | undefined {
  const cell = (step: string, host: string | null) => state.cells.get(cellKey(step, host));
  switch (event.type) {
    case 'UndoStarted':
      if (state.crossed.length > 0) return `[I3] ${state.crossed.at(-1)} has been crossed`;
      return state.direction === 'do' ? undefined : 'a second time';
    case 'VoteGiven':
      return roundOf(state, event)?.voters.some(({ host }) => host === event.host)
        ? undefined
        : `${event.host} has no vote in round ${event.round}`;
    case 'Crossed': {
      const round = roundOf(state, event);
      if (!round) return `${event.step} asks for no votes in round ${event.round}`;
      const missing = round.voters.find(({ host }) => state.votes.get(host)?.vote !== 'yes');
      return missing && `[D4] ${missing.host} has not voted for it`;
    }
    case 'ApprovalGiven':
      return cell(event.step, null)?.work?.kind === 'approval' ? undefined : `${event.step} asks for none`;
    case 'FenceBroken':
      return cell(event.step, event.host)?.phase === 'succeeded' ? undefined : `${event.step} was not met`;
    case 'HostDropping':
      return state.dropping.has(event.host) || state.dropped.has(event.host) ? 'a second time' : undefined;
    case 'HostDropped':
      return state.dropped.has(event.host) ? 'a second time' : undefined;
    default:
      return undefined;
  }
}
