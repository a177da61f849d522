import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { actionSpecs } from '@signalbox/actions';
import { probeSpecs } from '@signalbox/probes';
import type { Catalogue } from '@signalbox/protocol';
import {
  checkRunbook,
  type Diagnostic,
  hasErrors,
  parseRunbook,
  type Runbook,
  renderDiagnostics,
} from '@signalbox/runbook';
import type { Cli } from './cli.ts';
import { cliError } from './codes.ts';
import { readText } from './files.ts';

/** What is known without a mesh: the actions and probes that this version brings. */
export const builtIn: Catalogue = { actions: [...actionSpecs], probes: [...probeSpecs] };

export interface CheckedRunbook {
  readonly file: string;
  readonly text: string;
  readonly runbook: Runbook | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a runbook with what it includes, and proves what can be proven offline. @throws SB-CLI-FILE */
export function checkFile(cli: Cli, file: string, catalogue: Catalogue = builtIn): CheckedRunbook {
  const text = readText(resolve(cli.io.cwd, file));
  const { runbook, diagnostics } = parseRunbook(text, {
    file,
    include: (path, from) => includedText(resolve(cli.io.cwd, dirname(from), path)),
  });
  const found = runbook ? [...diagnostics, ...checkRunbook(runbook, catalogue)] : diagnostics;
  return { file, text, runbook, diagnostics: found };
}

/** An inclusion that cannot be read is a finding at its place, not an error of the whole. */
function includedText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Shows findings; where there are errors nothing else of the command happens. @throws SB-CLI-FINDINGS */
export function showFindings(cli: Cli, checked: CheckedRunbook, diagnostics: readonly Diagnostic[]): void {
  if (!cli.json && diagnostics.length > 0) {
    const sources = checked.runbook?.sources;
    const shown = renderDiagnostics(diagnostics, {
      file: checked.file,
      text: checked.text,
      color: cli.paint.enabled,
      ...(sources ? { sources } : {}),
    });
    cli.io.err(`${shown}\n\n`);
  }
  if (!hasErrors(diagnostics)) return;
  const message = `${checked.file}: ${counted(countOf(diagnostics).errors, 'error')}`;
  throw cliError('SB-CLI-FINDINGS', message, { details: { findings: diagnostics.map((d) => ({ ...d })) } });
}

export function countOf(diagnostics: readonly Diagnostic[]): { errors: number; warnings: number } {
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  return { errors, warnings: diagnostics.length - errors };
}

/** `1 error`, `3 warnings` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
