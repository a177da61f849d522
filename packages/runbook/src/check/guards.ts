import type { Span } from '../diagnostic.ts';
import type { Step } from '../model.ts';
import { get, isFlagged, itemsOf, keyAt, textAt } from '../node.ts';
import {
  allLeaves,
  findStep,
  gateBody,
  idsIn,
  isBefore,
  isOnlyUndo,
  leavesOf,
  mayBeSkipped,
  roleOf,
} from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import type { CheckContext } from './context.ts';

/** The guards of a point of no return are gates that still mean something at the crossing. */
export function checkGuards(context: CheckContext): void {
  for (const step of allLeaves(context.runbook)) {
    if (step.kind !== 'pointOfNoReturn') continue;
    const body = get(step.node, 'pointOfNoReturn');
    if (body?.kind !== 'map') continue;
    const guards = itemsOf(get(body, 'guards'));
    if (guards.length === 0) {
      context.report('SB320', keyAt(step.node, 'pointOfNoReturn'), { message: `\`${step.path}\` has no guards.` });
    }
    for (const guard of guards) {
      if (guard.kind === 'scalar') checkGuard(guard.text, guard.at, { crossing: step, context });
    }
  }
}

interface Use {
  crossing: Step;
  context: CheckContext;
}

function checkGuard(id: string, at: Span, { crossing, context }: Use): void {
  const { runbook, report } = context;
  const named = findStep(runbook, crossing.scope, id);
  if (!named) {
    report('SB215', at, { message: `There is no step \`${id}\`.`, hint: hintFor(id, idsIn(runbook, crossing.scope)) });
    return;
  }
  const gates = leavesOf(named).filter((s) => s.kind === 'gate');
  if (gates.length === 0) report('SB306', at, { message: `\`${id}\` is no gate, and no gate is in it.` });
  for (const gate of gates) {
    if (!isBefore(gate, crossing)) {
      const message = `\`${gate.path}\` (line ${gate.at.line}) is not surely passed before the crossing.`;
      report('SB306', at, { message });
    } else checkOne(gate, at, { crossing, context });
  }
}

function checkOne(gate: Step, at: Span, { crossing, context }: Use): void {
  const { runbook, report } = context;
  if (mayBeSkipped(gate) || isOnlyUndo(gate) || roleOf(gate, runbook)?.offline === 'skip') {
    const why = isOnlyUndo(gate) ? 'is passed only on the way back' : 'can be skipped';
    report('SB309', at, { message: `\`${gate.path}\` (line ${gate.at.line}) ${why}.` });
    return;
  }
  const until = textAt(gate.node, 'holdUntil');
  if (until !== undefined) {
    const end = findStep(runbook, gate.scope, until);
    if (end && end !== crossing && end.order < crossing.order) {
      const message = `The fence \`${gate.path}\` is watched only until \`${until}\` (line ${end.at.line}), which comes before the crossing.`;
      report('SB307', at, { message });
    }
    return;
  }
  if (isFlagged(get(gateBody(gate), 'once')) || itemsOf(get(gate.node, 'validWhile')).length > 0) return;
  const between = allLeaves(runbook).find(
    (s) =>
      s.order > gate.order &&
      s.order < crossing.order &&
      s.kind === 'do' &&
      context.lookup.actionOf(s)?.effect !== 'read',
  );
  if (!between) return;
  const message = `\`${gate.path}\` passed before \`${between.path}\` (line ${between.at.line}) was done, and nothing has kept it true since.`;
  report('SB308', at, { message });
}
