import type { HoldReason, LeafStep } from '@signalbox/protocol';
import { hasArrived, type Input, indexOf, isWindowHold, openReasons, type RunState } from '@signalbox/sequencer';
import { ANYBODY, consequence, rehearseUndo } from './rehearse.ts';
import { quoted } from './status-lines.ts';
import { undoSummary } from './undo-lines.ts';
import type { UndoTimes } from './undo-time.ts';

/** One way out of a hold: what it means in words, the whole command, and what follows from it. */
export interface Choice {
  readonly title: string;
  readonly command: string;
  readonly follows: string;
}

/** What a person might reach for, and why it would be refused. */
export interface Refusal {
  readonly verb: string;
  readonly why: string;
}

export interface Choices {
  readonly choices: readonly Choice[];
  readonly cannot: readonly Refusal[];
}

interface Candidate extends Choice {
  readonly verb: string;
  readonly input: Input;
}

/** Every decision that the sequencer would accept for this hold, and the reasons for those that it would not. */
export function choicesOf(state: RunState, times?: UndoTimes): Choices {
  const candidates = openReasons(state).flatMap((reason) => candidatesOf(state, reason));
  const choices: Choice[] = [];
  const cannot = new Map<string, string>();
  for (const { verb, input, ...choice } of candidates) {
    const result = consequence(state, input);
    if ('refused' in result) cannot.set(verb, result.refused.failure.message);
    else if (!choices.some((c) => c.command === choice.command)) choices.push(choice);
  }
  return withEnds(state, { choices, cannot, times });
}

/** The two ends that are always asked for: everything back, or leave it as it is. */
function withEnds(
  state: RunState,
  {
    choices,
    cannot,
    times,
  }: { choices: readonly Choice[]; cannot: ReadonlyMap<string, string>; times: UndoTimes | undefined },
): Choices {
  const rehearsal = rehearseUndo(state, { times });
  const back =
    'refused' in rehearsal
      ? []
      : [
          {
            title: 'take it back',
            command: `signalbox abort ${state.run} --undo --dry-run`,
            follows: undoSummary(rehearsal),
          },
        ];
  const refused = 'refused' in rehearsal ? [{ verb: 'abort --undo', why: rehearsal.refused.failure.message }] : [];
  const leave = {
    title: 'leave it',
    command: `signalbox abort ${state.run} --leave --note ...`,
    follows: `what was done stays as it is: ${stays(state)}`,
  };
  return {
    choices: [...choices, ...back, leave],
    cannot: [...[...cannot].map(([verb, why]) => ({ verb, why })), ...refused],
  };
}

function stays(state: RunState): string {
  const applied = indexOf(state.plan).refs.filter(
    (ref) => ref.leaf.kind === 'action' && ref.leaf.effect !== 'read' && state.cells.get(ref.key)?.applied === true,
  );
  const ids = [...new Set(applied.map((ref) => ref.leaf.id))];
  if (ids.length === 0) return 'nothing was done yet';
  return ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');
}

function candidatesOf(state: RunState, reason: HoldReason): Candidate[] {
  const { step, host } = reason;
  if (hasArrived(reason)) return [resume(state, 'take back the rest', 'everything before is taken back as well')];
  if (isWindowHold(reason))
    return [resume(state, 'go on', 'steps are begun outside the window, to the end of the run')];
  if (step === undefined) return [resume(state, 'go on', 'what was asked is asked again')];
  const where = { step, host: host ?? undefined, by: ANYBODY, note: '-' };
  const leaf = indexOf(state.plan).byStep.get(step)?.[0]?.leaf;
  const on = host ? ` --host ${host}` : '';
  const when = host && state.silent.has(host) ? ` when ${host} is back` : '';
  const say = (verb: string, rest = '') => `signalbox ${verb} ${state.run} ${quoted(step)}${on}${rest} --note ...`;
  const skip: Candidate = {
    verb: 'skip',
    title: 'go on without it',
    command: say('skip'),
    follows: 'it is left as it is and named in the report',
    input: { type: 'skip', ...where },
  };
  const retry: Candidate = {
    verb: 'retry',
    title: 'try it again',
    command: say('retry'),
    follows: 'a new attempt goes out',
    input: { type: 'retry', ...where },
  };
  const done: Candidate = {
    verb: 'resolve',
    title: 'it is done',
    command: say('resolve', ' --as succeeded'),
    follows: `${host ?? 'nobody'} is not asked; what comes next still has to hold`,
    input: { type: 'resolve', as: 'succeeded', ...where },
  };
  const notDone: Candidate = {
    verb: 'resolve',
    title: 'it is not done',
    command: say('resolve', ' --as not-done'),
    follows: host ? `the old command is withdrawn; a new attempt goes out${when}` : 'it is asked again',
    input: { type: 'resolve', as: 'not-done', ...where },
  };
  switch (reason.cause) {
    case 'unknown':
    case 'conflict':
      return [done, notDone, skip, ...drop(state, host)];
    case 'failed':
    case 'undo-failed':
      return [retry, ...(reason.cause === 'undo-failed' ? [byHand(done)] : []), skip, ...drop(state, host)];
    case 'gate':
      return [
        resume(state, 'ask again', 'it gets its whole time again'),
        ...adjusts(state, step, leaf),
        skip,
        ...drop(state, host),
      ];
    default:
      return [resume(state, 'go on', 'what was asked is asked again'), skip];
  }
}

/** On the way back there is something to do for whoever says that it is done. */
function byHand(done: Candidate): Candidate {
  return {
    ...done,
    title: 'done by hand',
    follows: 'you have taken it back yourself; the way back goes on with the rest',
  };
}

function resume(state: RunState, title: string, follows: string): Candidate {
  return {
    verb: 'resume',
    title,
    command: `signalbox resume ${state.run}`,
    follows,
    input: { type: 'resume', by: ANYBODY, note: undefined },
  };
}

function adjusts(state: RunState, step: string, leaf: LeafStep | undefined): Candidate[] {
  if (leaf?.kind !== 'gate') return [];
  const command = `signalbox adjust ${state.run} ${quoted(step)} --timeout +20m --note ...`;
  const input: Input = { type: 'adjust', step, timeoutMs: leaf.timeoutMs, by: ANYBODY, note: '-' };
  return [{ verb: 'adjust', title: 'give it more time', command, follows: 'then resume', input }];
}

function drop(state: RunState, host: string | null | undefined): Candidate[] {
  if (!host) return [];
  return [
    {
      verb: 'drop',
      title: 'without the host',
      command: `signalbox drop ${state.run} --host ${host} --note ...`,
      follows: `${host} stays as it is and is named in the report`,
      input: { type: 'drop', host, by: ANYBODY, note: '-' },
    },
  ];
}
