import { describe, expect, it } from 'vitest';
import { parseRunbook } from './parse.ts';
import { makePlan } from './plan.ts';
import { planAsMarkdown } from './render/markdown.ts';
import { planAsText } from './render/text.ts';
import { host, planInput } from './testing/hosts.ts';
import { smallWith } from './testing/small.ts';

const hosts = [host('node-1', { role: 'node' }), host('miner-1', { role: 'miner' })];

/** The window's end is a parameter, as for a runbook that is used every month. */
function planned(end: string, ...edits: [string, string][]) {
  const window = "  window: { notBefore: 2026-11-21T02:00:00Z, notAfter: '${params.end}' }\n";
  const text = smallWith(
    ['  hosts:\n', `${window}  hosts:\n`],
    ['    apps: {', '    end: { type: time }\n    apps: {'],
    ...edits,
  );
  const { runbook } = parseRunbook(text, { file: 'x.yaml' });
  if (!runbook) throw new Error('no runbook');
  return makePlan(runbook, planInput({ hosts, params: { apps: [{ name: 'crud' }], end } }));
}

describe('a window', () => {
  it('is in the plan, and on both of its screens', () => {
    const { plan, diagnostics } = planned('2026-11-21T06:00:00+01:00');
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(plan?.window).toEqual({ notBeforeMs: Date.UTC(2026, 10, 21, 2), notAfterMs: Date.UTC(2026, 10, 21, 5) });
    const said =
      'steps begin not before Sat 2026-11-21 02:00 UTC, not after Sat 2026-11-21 05:00 UTC, then held; the way back at any time';
    expect(plan && planAsText(plan, {})).toContain(`\nwindow: ${said}\n`);
    expect(plan && planAsMarkdown(plan, [])).toContain(`\n- Window: ${said}\n`);
  });

  it('that a parameter makes impossible is found when the plan is made, at the place that says it', () => {
    const late: [string, string] = [
      'hosts: node\n      record',
      'hosts: node\n      notBefore: 2026-11-21T01:30:00Z\n      record',
    ];
    const { plan, diagnostics } = planned('2026-11-21T01:00:00Z', late);
    expect(plan).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { code: 'SB321', message: 'The window ends before it begins.' },
      { code: 'SB321', message: '`before` may begin only when the window (line 11) is over.' },
    ]);
  });
});
