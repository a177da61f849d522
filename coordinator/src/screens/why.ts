import { cellOf, indexOf, isEnded } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import { gateLines } from './gate-lines.ts';
import { heldScreen } from './held.ts';
import { type RunInput, runModel } from './model.ts';
import { whoApproves } from './row-details.ts';
import { headLine, nextLines } from './status-lines.ts';
import { undoLine } from './way.ts';

/** Why the run stands where it stands: for a held run screen 3, else each step that is under way and what ends it. */
export function whyScreen(input: RunInput): string[] {
  const { state } = input;
  if (state.status === 'held') return heldScreen(input);
  const model = runModel(input);
  const head = [headLine(model), ''];
  if (isEnded(state)) {
    const why = state.undoReason ? ` because ${safeText(state.undoReason.message)} [${state.undoReason.code}]` : '';
    return [
      ...head,
      `It is ${state.status}${why}.`,
      ...state.leftovers.map((left) => `left by hand: ${safeText(left.what)}`),
    ];
  }
  const open = model.rows.filter((row) => row.stage === 'active' || row.stage === 'bad');
  const because = state.undoReason
    ? [`It is being taken back: ${safeText(state.undoReason.message)} [${state.undoReason.code}]`, '']
    : [];
  const lines = open.flatMap(({ number, name, where, word, detail, gates }) => [
    `${number} ${name}${where === '' ? '' : ` on ${where}`}: ${word} ${detail}`.trimEnd(),
    ...gates.flatMap((gate) => gateLines(gate, gates.length > 1).map((line) => `    ${line}`)),
  ]);
  const approvals = indexOf(state.plan).refs.flatMap((ref) => {
    if (ref.leaf.kind !== 'approval' && ref.leaf.kind !== 'pointOfNoReturn') return [];
    if (cellOf(state, ref).work?.kind !== 'approval') return [];
    return [
      `    who may approve ${ref.leaf.id}: ${whoApproves(ref.leaf.approve)}; it was started by ${safeText(state.submitter.name)}`,
    ];
  });
  return [
    ...head,
    ...because,
    ...(lines.length > 0 ? lines : ['Nothing is under way.']),
    ...approvals,
    '',
    ...undoLine(model.way).map((line) => `undo ${line}`),
    ...nextLines(model),
  ];
}
