import type { Catalogue } from '@signalbox/protocol';
import { checkEffects } from './check/effects.ts';
import { checkExclusive } from './check/exclusive.ts';
import { checkGates } from './check/gates.ts';
import { checkGuards } from './check/guards.ts';
import { checkHosts } from './check/hosts.ts';
import { checkNames } from './check/names.ts';
import { checkOrder } from './check/order.ts';
import { checkReferences } from './check/references.ts';
import { checkRepetition } from './check/repetition.ts';
import { checkUnused } from './check/unused.ts';
import { checkWindow, writtenTimes } from './check/window.ts';
import { collector, type Diagnostic, inOrder } from './diagnostic.ts';
import { lookupIn } from './lookup.ts';
import type { Runbook } from './model.ts';

/**
 * Everything that can be proven about a runbook without a mesh: names, types, references, interlocking. Repeats nothing
 * that `parseRunbook` has found; a runbook with errors in its shape is checked as far as it can be read.
 */
export function checkRunbook(runbook: Runbook, catalogue: Catalogue): Diagnostic[] {
  const { report, diagnostics } = collector();
  const context = { runbook, lookup: lookupIn(catalogue), report };
  checkHosts(context);
  checkRepetition(context);
  checkNames(context);
  checkReferences(context);
  checkGates(context);
  checkGuards(context);
  checkEffects(context);
  checkExclusive(context);
  checkOrder(context);
  checkWindow(runbook, writtenTimes(runbook), report);
  checkUnused(context);
  return inOrder(diagnostics);
}
