import type { Report } from '../diagnostic.ts';
import type { Runbook, Step } from '../model.ts';
import { get, keyAt, type Node } from '../node.ts';

/** When a window begins and ends, and which steps may begin only later: as far as it is known. */
export interface WindowTimes {
  readonly notBeforeMs?: number | undefined;
  readonly notAfterMs?: number | undefined;
  readonly steps: readonly { readonly step: Step; readonly notBeforeMs: number | undefined }[];
}

/** Times that nothing could keep. Asked twice: of the text, and again when the plan knows what its parameters say. */
export function checkWindow({ spec }: Runbook, { notBeforeMs, notAfterMs, steps }: WindowTimes, report: Report): void {
  const window = get(spec, 'window');
  if (window?.kind !== 'map' || notAfterMs === undefined) return;
  if (notBeforeMs !== undefined && notBeforeMs >= notAfterMs) {
    report('SB321', keyAt(window, 'notAfter'), { message: 'The window ends before it begins.' });
  }
  const line = keyAt(spec, 'window').line;
  for (const { step, notBeforeMs: beginMs } of steps) {
    if (beginMs === undefined || beginMs < notAfterMs || step.node.kind !== 'map') continue;
    const message = `\`${step.path}\` may begin only when the window (line ${line}) is over.`;
    report('SB321', keyAt(step.node, 'notBefore'), { message });
  }
}

/** What stands in the text; a parameter says nothing yet. */
export function writtenTimes({ spec, byPath }: Runbook): WindowTimes {
  const window = get(spec, 'window');
  return {
    notBeforeMs: writtenMs(get(window, 'notBefore')),
    notAfterMs: writtenMs(get(window, 'notAfter')),
    steps: [...byPath.values()].map((step) => ({ step, notBeforeMs: writtenMs(get(step.node, 'notBefore')) })),
  };
}

function writtenMs(node: Node | undefined): number | undefined {
  const ms = node?.kind === 'scalar' ? Date.parse(node.text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
