import { readFileSync } from 'node:fs';
import { Plan } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import { parseRunbook } from './parse.ts';
import { makePlan } from './plan.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { renderByHand, renderPlan } from './render-plan.ts';
import { catalogue } from './testing/catalogue.ts';
import { EXAMPLES, planInput } from './testing/hosts.ts';
import { flatten } from './testing/steps.ts';

const WARNINGS: Record<string, string[]> = {
  'node-upgrade': [],
  // The lag was 0 before the mirror was stopped, and can no longer be asked at the crossing.
  'mongodb-cutover': ['SB308'],
  // Likewise: what drains the topics is off by then.
  'kafka-cutover': ['SB308'],
};

describe.each(Object.entries(EXAMPLES))('the example %s', (name, { hosts, params }) => {
  const file = `${name}.yaml`;
  const text = readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8');
  const { runbook, diagnostics } = parseRunbook(text, { file });
  const made = runbook && makePlan(runbook, planInput({ hosts, params }));

  it('parses and checks without an error', () => {
    const found = [...diagnostics, ...(runbook ? checkRunbook(runbook, catalogue) : [])];
    expect(
      renderDiagnostics(
        found.filter((d) => d.severity === 'error'),
        { file, text },
      ),
    ).toBe('');
    expect(found.map((d) => d.code)).toEqual(WARNINGS[name]);
  });

  it('becomes a plan that fits the contract, with every instance id once', () => {
    expect(Plan.parse(JSON.parse(JSON.stringify(made?.plan)))).toEqual(made?.plan);
    const ids = flatten(made?.plan?.steps ?? []).map((s) => s.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is shown as screen 1, as a document, and as a list for the night without a mesh', async () => {
    if (!made?.plan) throw new Error('no plan');
    const at = (kind: string) => `./fixtures/${name}.${kind}`;
    await expect(renderPlan(made.plan, { format: 'text' })).toMatchFileSnapshot(at('plan.txt'));
    await expect(
      renderPlan(made.plan, { format: 'md', drift: ['node-1: remesd.service active -> failed'] }),
    ).toMatchFileSnapshot(at('plan.md'));
    await expect(renderByHand(made.plan)).toMatchFileSnapshot(at('by-hand.txt'));
  });
});

describe('an example whose author forgot to quote', () => {
  it('is read as meant, with a warning that other tools read it differently', () => {
    const text = readFileSync(new URL('./fixtures/node-upgrade.yaml', import.meta.url), 'utf8').replace(
      /help: "(the new remesd, [^"]*)"/,
      'help: $1',
    );
    const { runbook, diagnostics } = parseRunbook(text, { file: 'x.yaml' });
    expect(diagnostics.map((d) => d.code)).toEqual(['SB109']);
    expect(runbook?.scope.params.get('binary')?.help).toBe(
      'the new remesd, already on the node; the plan says so if it is not',
    );
  });
});
