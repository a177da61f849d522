import type { Runbook } from '@signalbox/runbook';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { checkFile, counted, countOf, showFindings } from '../runbook-file.ts';

/** `signalbox check FILE`: everything that can be proven of a runbook without a mesh. */
export async function check(cli: Cli, file: string): Promise<ExitCode> {
  const checked = checkFile(cli, file);
  const { errors, warnings } = countOf(checked.diagnostics);
  if (cli.json) {
    const { steps, points } = sizesOf(checked.runbook);
    cli.printJson({ file, steps, pointsOfNoReturn: points, errors, warnings, findings: checked.diagnostics });
    return errors > 0 ? EXIT.usage : EXIT.done;
  }
  showFindings(cli, checked, checked.diagnostics);
  const { steps, points } = sizesOf(checked.runbook);
  const sealed = points === 0 ? [] : [counted(points, 'point').replace(/^(\d+ points?)$/, '$1 of no return')];
  const parts = [
    counted(steps, 'step'),
    ...sealed,
    '0 errors',
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ];
  cli.print(`${checked.runbook?.name ?? file}: ${parts.join(', ')}`);
  return EXIT.done;
}

function sizesOf(runbook: Runbook | undefined): { steps: number; points: number } {
  const leaves = [...(runbook?.byPath.values() ?? [])].filter((step) => step.children.length === 0);
  return { steps: leaves.length, points: leaves.filter((step) => step.kind === 'pointOfNoReturn').length };
}
