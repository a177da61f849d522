import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import { FINDINGS } from './codes.ts';
import { findingsReference } from './findings-page.ts';
import { parseRunbook } from './parse.ts';
import { makePlan } from './plan.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { runbookJsonSchema } from './schema/json-schema.ts';
import { PARAM_TYPES } from './schema/runbook.ts';
import { KEYS_OF, KINDS } from './schema/step.ts';
import { catalogue } from './testing/catalogue.ts';
import { nodeHosts, nodeParams, planInput } from './testing/hosts.ts';

const repository = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, repository), 'utf8');

describe('docs/reference/findings.md', () => {
  it('is what the catalogue says', async () => {
    await expect(findingsReference()).toMatchFileSnapshot('../../../docs/reference/findings.md');
  });

  it('has every code of the catalogue, and none besides', () => {
    const documented = [...read('docs/reference/findings.md').matchAll(/^\| (SB\d+) \|/gm)].map(([, code]) => code);
    expect(documented).toEqual(Object.keys(FINDINGS).sort());
  });
});

describe('docs/runbook.schema.json', () => {
  it('is generated from the schemas that the parser reads by', async () => {
    const text = `${JSON.stringify(runbookJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../../docs/runbook.schema.json');
  });
});

describe('docs/runbooks.md', () => {
  const guide = read('docs/runbooks.md');

  it('explains every key of a step, every kind and every type', () => {
    for (const key of new Set([...KINDS, ...Object.values(KEYS_OF).flat(), ...PARAM_TYPES])) {
      expect(guide, key).toMatch(new RegExp(`\`${key}[\`:]`));
    }
  });

  it('shows a mistake as it is really shown', () => {
    const [, text = '', output = ''] =
      /```yaml\n# mistakes\.yaml\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)\n```/.exec(guide) ?? [];
    expect(text).not.toBe('');
    const { runbook, diagnostics } = parseRunbook(text, { file: 'mistakes.yaml' });
    const found = [...diagnostics, ...(runbook ? checkRunbook(runbook, catalogue) : [])];
    expect(renderDiagnostics(found, { file: 'mistakes.yaml', text })).toBe(output);
  });

  it('has only whole runbooks that pass', () => {
    const whole = [...guide.matchAll(/```yaml\n(apiVersion[\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(whole.length).toBeGreaterThan(0);
    for (const text of whole) {
      const { runbook, diagnostics } = parseRunbook(text, { file: 'guide.yaml' });
      const found = [...diagnostics, ...(runbook ? checkRunbook(runbook, catalogue) : [])];
      expect(renderDiagnostics(found, { file: 'guide.yaml', text })).toBe('');
    }
  });
});

describe('runbooks/r3mes/node-upgrade.yaml', () => {
  it('passes without a finding and becomes a plan', () => {
    const text = read('runbooks/r3mes/node-upgrade.yaml');
    const { runbook } = parseRunbook(text, { file: 'node-upgrade.yaml' });
    if (!runbook) throw new Error('no runbook');
    const { plan, diagnostics } = makePlan(runbook, planInput({ hosts: nodeHosts, params: nodeParams }));
    expect(renderDiagnostics(diagnostics, { file: 'node-upgrade.yaml', text })).toBe('');
    expect(plan?.steps).toHaveLength(11);
  });
});
