import { safeText } from '../cli/safe-text.ts';
import { row } from './layout.ts';

export interface DoctorFinding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly next?: string | undefined;
}

/** A line a thing, green or red; under a red one, what to do. */
export function doctorScreen(mesh: string, findings: readonly DoctorFinding[]): string[] {
  const bad = findings.filter((finding) => !finding.ok).length;
  const verdict = bad === 0 ? 'all is well' : `${bad} of ${findings.length} need attention`;
  return [
    `mesh ${mesh}   ${verdict}`,
    '',
    ...findings.flatMap(({ what, ok, detail, next }) => [
      row(['', 2], [ok ? 'ok' : 'FAILED', 8], [safeText(what), 18], [safeText(detail), 1]),
      ...(ok || next === undefined ? [] : [`${' '.repeat(28)}${safeText(next)}`]),
    ]),
  ];
}
