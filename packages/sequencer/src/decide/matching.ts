import { type Cell, isInFlight } from '../cell.ts';
import { sequencerError } from '../codes.ts';
import { tryName } from '../evolve-cell.ts';
import type { Input } from '../inputs.ts';
import { isLeftOut } from '../state.ts';
import type { CellRef } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';

type Report = Extract<Input, { type: 'accepted' | 'outcome' | 'refused' }>;

/**
 * The step that a report is about, when the report is news. Reports come at least once, late, and in any order: what the
 * log has already, and what is not about the present try, is nothing. With two exceptions: a host that contradicts what
 * was declared of a try while it could not be asked, and one that was asked for a try of which the log knows nothing. Then
 * the log's picture of the host is wrong, and the run is held.
 */
export function matching(draft: Draft, report: Report): CellRef | undefined {
  const ref = draft.ref(report.step, report.host);
  if (!ref) return undefined;
  const cell = draft.cell(ref);
  // On the way back, a step `only: undo` is done under direction `do` on its host.
  const direction = ref.onlyUndo ? 'undo' : report.direction;
  const name = tryName({ direction, attempt: report.attempt });
  if (cell.settled.includes(name)) return undefined;
  if (report.attempt > cell.attempts[direction]) {
    const message = `${ref.host} reports ${ref.leaf.id} (${direction} ${report.attempt}), which the log has not asked for`;
    const { failure } = sequencerError('SB-RUN-CONTRADICTED', message);
    // Not settled by this: should the log come to that try, its host answers from its journal.
    draft.hold({ cause: 'conflict', step: ref.leaf.id, host: ref.host, failure });
    return undefined;
  }
  const declared = cell.declared[name];
  if (declared !== undefined) {
    compareWithDeclared(draft, ref, { report, declared, direction });
    return undefined;
  }
  const current = cell.direction === direction && cell.attempts[direction] === report.attempt;
  return current && (isInFlight(cell) || cell.phase === 'unknown') ? ref : undefined;
}

function compareWithDeclared(
  draft: Draft,
  ref: CellRef,
  { report, declared, direction }: { report: Report; declared: 'done' | 'not-done'; direction: 'do' | 'undo' },
): void {
  const said = saidBy(report);
  if (said === undefined) return;
  const cell = draft.cell(ref);
  if (said === declared) {
    if (report.type === 'outcome') confirm(draft, cell, report);
    return;
  }
  if (isLeftOut(draft.state, ref.host)) return;
  const message = `${ref.host} reports ${ref.leaf.id} (${direction} ${report.attempt}) ${said}; the log says ${declared}`;
  const { failure } = sequencerError('SB-REPORT-CONFLICT', message);
  const { attempt } = report;
  draft.hold({ cause: 'conflict', step: ref.leaf.id, host: ref.host, direction, attempt, failure });
}

/** What a report claims of a try. A try that failed did begin, so it is neither done nor not done. */
function saidBy(report: Report): 'done' | 'not-done' | 'begun' | undefined {
  if (report.type === 'accepted') return undefined;
  if (report.type === 'refused') return 'not-done';
  const { outcome } = report;
  if (outcome.status === 'succeeded') return 'done';
  if (outcome.status === 'failed') return 'begun';
  switch (outcome.probed) {
    case 'applied':
      return 'done';
    case 'not-applied':
      return 'not-done';
    case 'partial':
      return 'begun';
    default:
      return undefined;
  }
}

/** The host agrees with what was declared, and brings the receipt that undo and later steps may need. */
function confirm(
  draft: Draft,
  cell: Cell,
  { outcome, direction, attempt, durationMs }: Extract<Report, { type: 'outcome' }>,
): void {
  const base = currentTry(cell);
  const present = cell.phase === 'succeeded' && base.direction === direction && base.attempt === attempt;
  if (!present || outcome.status === 'failed') return;
  const via = outcome.status === 'unknown' || outcome.probed ? 'probe' : 'report';
  const receipt = outcome.receipt ? { receipt: outcome.receipt } : {};
  draft.emit({ type: 'StepSucceeded', ...base, via, durationMs, ...receipt });
}
