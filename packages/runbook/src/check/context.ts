import type { Report } from '../diagnostic.ts';
import type { Lookup } from '../lookup.ts';
import type { Runbook } from '../model.ts';

/** What every rule family sees: the runbook, the catalogue, and where findings go. */
export interface CheckContext {
  runbook: Runbook;
  lookup: Lookup;
  report: Report;
}
