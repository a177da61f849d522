import { type CellRef, indexOf } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';

/** What was true only while a fence held must be met again, and what people agreed to then, they are asked again. */
export function voidWhatReliedOn(draft: Draft, fence: string): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (cell.approvals.length > 0 && cell.phase === 'gated') {
      draft.emit({ type: 'ApprovalVoided', step: ref.leaf.id, reason: `fence ${fence} broke` });
    }
    if (ref.leaf.kind === 'gate' && ref.leaf.validWhile.includes(fence) && cell.phase === 'succeeded') {
      draft.emit({ type: 'StepReset', ...currentTry(cell), reason: `it was true only while ${fence} held` });
    }
  }
}

/**
 * [I2] What waits behind a step that is not over any more waits for that step first: a proof that came in meanwhile
 * would start a command. Manual steps stay: a person may be in the middle of one.
 */
export function sendBack(draft: Draft, to: CellRef, reason: string): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (ref.position <= to.position || cell.phase !== 'gated' || cell.work?.kind === 'manual') continue;
    draft.emit({ type: 'StepReset', ...currentTry(cell), reason });
  }
}
