import { formatDuration } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import { table } from './layout.ts';
import type { Undo, UndoRehearsal } from './rehearse.ts';
import { undoTimeText } from './undo-time.ts';

/** `7 undos, ~2m; 4 of them need kube-1 and would be held for it` */
export function undoSummary({ undos, time }: UndoRehearsal): string {
  const silent = undos.filter((undo) => undo.silent);
  const hosts = [...new Set(silent.flatMap((undo) => undo.host ?? []))].join(', ');
  const byHand = undos.filter((undo) => undo.byHand).length;
  return [
    `${undos.length} ${undos.length === 1 ? 'undo' : 'undos'}${undos.length > 0 ? `, ${undoTimeText(time)}` : ''}`,
    ...(silent.length > 0 ? [`${silent.length} of them need ${hosts} and would be held for it`] : []),
    ...(byHand > 0 ? [`${byHand} of them by hand`] : []),
  ].join('; ');
}

/** What `abort --undo --dry-run` prints: each undo in its order, and what stays behind. */
export function undoLines(rehearsal: UndoRehearsal): string[] {
  const { undos, leaves } = rehearsal;
  const rows = undos.map((undo, i) => [
    String(i + 1),
    undo.host ?? 'the run',
    undo.step,
    safeText(undo.what),
    noteOf(undo),
  ]);
  return [
    undoSummary(rehearsal),
    ...table(rows).map((line) => `  ${line}`),
    ...(leaves.length > 0 ? ['stays behind:', ...leaves.map((left) => `  ${safeText(left)}`)] : []),
  ];
}

function noteOf({ estimateMs, byHand, silent }: Undo): string {
  if (byHand) return 'BY HAND';
  if (silent) return 'its host is silent: held until it is back';
  return estimateMs === undefined ? '' : `~${formatDuration(estimateMs)}`;
}
