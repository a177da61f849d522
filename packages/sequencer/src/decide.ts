import type { RunEvent } from '@signalbox/protocol';
import { advance, closeWindow } from './advance.ts';
import { sequencerError } from './codes.ts';
import { onApprove, onReject } from './decide/approvals.ts';
import * as decisions from './decide/decisions.ts';
import { Draft } from './decide/draft.ts';
import * as operators from './decide/operators.ts';
import * as reports from './decide/reports.ts';
import { askVotersAgain, onVoted } from './decide/rounds.ts';
import * as samples from './decide/samples.ts';
import { onTick } from './decide/time.ts';
import type { Input, Now } from './inputs.ts';
import { isEnded, type RunState } from './state.ts';

/**
 * The next facts of a run, given one input. Pure: no clock, no I/O, no chance; what it needs of them is in `now`.
 * All events of one decision go into the log as one message. An empty answer means that nothing follows.
 * @throws SignalboxError with a code of SEQUENCER_CODES when a person asked for what cannot be; nothing follows then.
 */
export function decide(state: RunState, input: Input, now: Now): RunEvent[] {
  if (isEnded(state)) return afterTheEnd(state, input, now);
  const draft = new Draft(state, now);
  // First: what comes in after the end of the window must not begin anything, whether or not a tick has said so.
  closeWindow(draft);
  handle(draft, input.type, input);
  advance(draft);
  return draft.events;
}

type InputOf = { [T in Input['type']]: Extract<Input, { type: T }> };
type Handlers = { [T in Input['type']]: (draft: Draft, input: InputOf[T]) => void };

function handle<T extends Input['type']>(draft: Draft, type: T, input: InputOf[T]): void {
  HANDLERS[type](draft, input);
}

const HANDLERS: Handlers = {
  create: (draft, { by, planHash, start, signed, note, accepted }) => {
    const { run, status } = draft.state;
    if (status !== 'planned') throw sequencerError('SB-RUN-STATE', `${run} has been started already: it is ${status}`);
    draft.emit({
      type: 'RunCreated',
      mesh: draft.state.mesh,
      runbook: draft.state.plan.runbook.name,
      planHash,
      by,
      ...(start === undefined ? {} : { start }),
      ...(signed === undefined ? {} : { signed }),
      ...(note === undefined ? {} : { note }),
      ...(accepted === undefined ? {} : { accepted }),
    });
  },
  lead: (draft, { coordinator, epoch, nonce }) => {
    draft.emit({ type: 'Led', coordinator, epoch, nonce });
    askVotersAgain(draft);
  },
  accepted: reports.onAccepted,
  outcome: reports.onOutcome,
  refused: reports.onRefused,
  withdrawn: reports.onWithdrawn,
  silent: reports.onSilent,
  contradicted: reports.onContradicted,
  back: (draft, { host }) => {
    if (draft.state.silent.has(host)) draft.emit({ type: 'HostBack', host });
  },
  gateMet: samples.onGateMet,
  gateFailed: samples.onGateFailed,
  fenceBroke: samples.onFenceBroke,
  recorded: samples.onRecorded,
  proven: samples.onProven,
  voted: onVoted,
  tick: onTick,
  approve: onApprove,
  reject: onReject,
  confirm: decisions.onConfirm,
  pause: operators.onPause,
  resume: operators.onResume,
  retry: decisions.onRetry,
  skip: decisions.onSkip,
  resolve: decisions.onResolve,
  drop: decisions.onDrop,
  abort: operators.onAbort,
  adjust: operators.onAdjust,
  note: (draft, { by, text }) => draft.emit({ type: 'NoteAdded', by, text }),
  take: (draft, { by }) => draft.emit({ type: 'OwnerTaken', by }),
  acknowledge: (draft, { by }) => draft.emit({ type: 'PageAcknowledged', by }),
};

const FROM_PEOPLE: ReadonlySet<Input['type']> = new Set<Input['type']>([
  'approve',
  'reject',
  'confirm',
  'pause',
  'resume',
  'retry',
  'skip',
  'resolve',
  'drop',
  'abort',
  'adjust',
  'take',
  'acknowledge',
]);

/** Notes may still be added to an ended run; late reports and ticks mean nothing to it. */
function afterTheEnd(state: RunState, input: Input, now: Now): RunEvent[] {
  if (FROM_PEOPLE.has(input.type)) throw sequencerError('SB-RUN-ENDED', `${state.run} is ${state.status}`);
  if (input.type !== 'note') return [];
  const draft = new Draft(state, now);
  HANDLERS.note(draft, input);
  return draft.events;
}
