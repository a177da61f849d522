import { type CodeCatalogue, type CodeEntry, failWith } from '@signalbox/protocol';
import { INTERLOCKING_FINDINGS } from './codes/interlocking.ts';
import { LANGUAGE_FINDINGS } from './codes/language.ts';
import { NAME_FINDINGS } from './codes/names.ts';

export type Severity = 'error' | 'warning';

/** A finding is a failure code with a severity: an error stops `check`, `plan` and `start`; a warning is shown. */
export interface FindingEntry extends CodeEntry {
  severity: Severity;
}

/** Every finding of the runbook language: SB1xx the text, SB2xx names and values, SB3xx interlocking. */
export const FINDINGS = {
  ...LANGUAGE_FINDINGS,
  ...NAME_FINDINGS,
  ...INTERLOCKING_FINDINGS,
} as const satisfies Readonly<Record<string, FindingEntry>>;
export type FindingCode = keyof typeof FINDINGS;

/** The same catalogue under the name that every package gives to its own. */
export const RUNBOOK_CODES: CodeCatalogue = FINDINGS;
export const runbookError = failWith(FINDINGS);
