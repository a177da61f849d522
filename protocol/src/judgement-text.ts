import type { Judgement } from './condition.ts';
import type { Json } from './json.ts';

/** Operators whose operand is a value; the others are asked for by `true`. */
const COMPARES: ReadonlySet<string> = new Set(['equals', 'in', 'atMost', 'atLeast']);

/** `height 1204, want atLeast 1210`: the sentence of a judgement that does not hold. */
export function describeBroken(judgement: Judgement): string {
  return `${judgement.key} ${shown(judgement)}, want ${asked(judgement)}`;
}

/** `restarts 2 rising`, `unitState failed`: the sentence of a judgement that holds and should not. */
export function describeMet(judgement: Judgement): string {
  const said = judgement.op === 'equals' ? '' : ` ${asked(judgement)}`;
  return `${judgement.key} ${shown(judgement)}${said}`;
}

function shown({ have }: Judgement): string {
  return have === undefined || have === null ? 'absent' : text(have);
}

function asked({ op, want }: Judgement): string {
  return want === true && !COMPARES.has(op) ? op : `${op} ${text(want)}`;
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
