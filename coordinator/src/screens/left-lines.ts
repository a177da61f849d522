import { commandByHand } from '@signalbox/protocol';
import { type CellRef, cellOf, isTurned, type RunState } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import { cut } from './layout.ts';
import { quoted } from './status-lines.ts';
import { owedOf } from './undo-time.ts';
import { namedValues } from './values.ts';

/** As much of what a step kept for its undo as a person can take in; the whole is in `events --json`. */
const KEPT_WIDTH = 200;

/** Something that the way back has still to take back, and what a person does who takes it back by hand. */
export interface Left {
  readonly step: string;
  readonly host: string | null;
  /** In the words of the plan; undefined where it knows no way back. */
  readonly byHand: string | undefined;
  /** What is typed on the host for that, where one command line does it. */
  readonly typed: string | undefined;
  /** What the step found and returned, which its undo goes by. */
  readonly kept: string;
  /** Says to the run that it was done, where the run waits for it. */
  readonly command: string | undefined;
}

/** In the order of the way back, once there is one. */
export function leftOf(state: RunState): Left[] {
  return owedOf(state)
    .filter((ref) => isTurned(state, ref))
    .reverse()
    .map((ref) => leftAt(state, ref));
}

function leftAt(state: RunState, ref: CellRef): Left {
  const { leaf, host } = ref;
  const cell = cellOf(state, ref);
  const target = leaf.kind === 'action' ? leaf.targets.find((one) => one.host === host) : undefined;
  const receipt = { ...cell.before, ...cell.receipt };
  const waits = cell.direction === 'undo' && (cell.phase === 'failed' || cell.phase === 'unknown');
  const on = host === null ? '' : ` --host ${host}`;
  return {
    step: leaf.id,
    host,
    byHand: leaf.kind === 'manual' ? leaf.undo : target?.undoes,
    typed:
      leaf.kind === 'action' && leaf.byHand && target ? commandByHand(leaf.byHand, target.with, receipt) : undefined,
    kept: namedValues(Object.keys(receipt), receipt),
    command: waits ? `signalbox resolve ${state.run} ${quoted(leaf.id)}${on} --as succeeded --note ...` : undefined,
  };
}

/** What is not taken back yet: first what the run waits for, with what to do by hand; then what follows by itself. */
export function leftLines(state: RunState): string[] {
  const left = leftOf(state);
  const stuck = left.filter(({ command }) => command !== undefined);
  const later = left.filter(({ command }) => command === undefined);
  return [
    ...stuck.flatMap((one) => [
      sentence(one, ', by hand'),
      ...(one.typed === undefined ? [] : [`  ${safeText(one.typed)}`]),
      ...(one.kept === '' ? [] : [`what it kept for that: ${cut(one.kept, KEPT_WIDTH)}`]),
    ]),
    ...(stuck.length > 0 && later.length > 0 ? ['and then, by itself:'] : []),
    ...later.map((one) => sentence(one)),
  ];
}

function sentence({ step, host, byHand }: Left, how = ''): string {
  const on = host === null ? '' : ` on ${host}`;
  return `${step}${on}${how}: ${safeText(byHand ?? 'no way back is known here')}`;
}
