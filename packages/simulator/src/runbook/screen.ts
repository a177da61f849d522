import type { Fate, PlanDays } from './fates.ts';

/** What a person reads. */
export function screenOf({ runbook, from, days, fates, storms, broken }: PlanDays): string[] {
  const endings = Object.entries(storms);
  const stormy = endings.reduce((sum, [, count]) => sum + count, 0);
  return [
    `${runbook}: ${days} simulated days, seeds ${from} to ${from + days - 1}. No host was touched.`,
    '',
    ...tableOf(fates),
    ...missedLines(fates),
    ...heldLines(fates),
    '',
    `${stormy} more days of crashes, lost messages and full disks, on which people helped:`,
    `  ${endings.length === 0 ? 'none' : endings.map(([status, count]) => `${count} ${status}`).join(', ')}`,
    broken.length === 0
      ? 'Every invariant holds on all of them.'
      : `${broken.length} broken; each is a mistake in Signalbox:`,
    ...broken.slice(0, 10).map(({ seed, what }) => `  --seed ${seed}  ${what}`),
  ];
}

function tableOf(fates: readonly Fate[]): string[] {
  const rows = [
    ['if the host dies during', 'on', 'days', 'finished', 'undone', 'held'],
    ...fates.map(({ step, host, days, finished, undone, held }) => [
      step,
      host ?? '(coordinator)',
      ...[days, finished, undone, held].map((count) => (count === 0 ? '·' : String(count))),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** A step of which nothing is said is not one that is safe. */
function missedLines(fates: readonly Fate[]): string[] {
  const missed = fates.filter(({ days }) => days === 0).map(({ step, host }) => (host ? `${step} on ${host}` : step));
  if (missed.length === 0) return [];
  const each = `every second day is for one of the ${fates.length} steps: --seeds ${fates.length * 2} has one for each`;
  return ['', `not struck on these days: ${missed.join(', ')}`, `  ${each}`];
}

function heldLines(fates: readonly Fate[]): string[] {
  const held = fates.filter(({ why }) => why.length > 0);
  if (held.length === 0) return [];
  const lines = held.flatMap(({ step, host, why }) => [
    `  ${step} on ${host ?? '(coordinator)'}`,
    ...why.map(({ code, message, next, days }) => `    ${days} × ${message} [${code}]\n      ${next}`),
  ]);
  return ['', 'held, and why:', ...lines];
}
