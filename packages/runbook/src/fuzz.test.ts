import { Plan } from '@signalbox/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import { parseRunbook } from './parse.ts';
import { makePlan } from './plan.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { renderByHand, renderPlan } from './render-plan.ts';
import { catalogue } from './testing/catalogue.ts';
import { host, planInput } from './testing/hosts.ts';
import { SMALL } from './testing/small.ts';
import { flatten } from './testing/steps.ts';

const file = 'x.yaml';
const hosts = [host('node-1', { role: 'node' }), ...[1, 2, 3].map((n) => host(`miner-${n}`, { role: 'miner' }))];

/** Whatever the text: findings within their file, never an exception, and soon. */
function survives(text: string): void {
  const began = process.cpuUsage();
  const { runbook, diagnostics } = parseRunbook(text, { file });
  const found = runbook ? [...diagnostics, ...checkRunbook(runbook, catalogue)] : diagnostics;
  if (runbook) makePlan(runbook, planInput({ hosts, params: {} }));
  renderDiagnostics(found, { file, text });
  const lines = text.split('\n');
  for (const d of found) {
    expect(d.line).toBeGreaterThan(0);
    expect(d.line).toBeLessThanOrEqual(lines.length);
    expect(d.column).toBeGreaterThan(0);
    expect(d.column).toBeLessThanOrEqual((lines[d.line - 1]?.length ?? 0) + 1);
  }
  expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
}

const scraps = fc.constantFrom(
  'steps:',
  'gate:',
  '- id: x',
  '${params.window}',
  '${',
  '}',
  '{',
  '[',
  '&a',
  '*a',
  '\t',
  'hosts: node',
  'spec:',
  ': ',
  '"',
  "'",
  '|',
  '>',
  '!!str',
  '\u0000',
  '𝄞',
  '- - -',
  '? ',
  '%YAML 1.1',
  '---',
  '<<: ',
);

describe('any text', () => {
  it('is answered with findings', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), survives), { numRuns: 150 });
  });

  it('also when a parameter has a name that no pattern can be made of', () => {
    survives(SMALL.replaceAll('token', 't[oken'));
    survives(SMALL.replace('token', 't[oken'));
  });

  it('also when it nearly is a runbook: one piece replaced by another', () => {
    const nearly = fc.tuple(fc.nat(SMALL.length), fc.nat(40), fc.array(scraps, { maxLength: 4 }));
    fc.assert(
      fc.property(nearly, ([at, length, pieces]) =>
        survives(SMALL.slice(0, at) + pieces.join('') + SMALL.slice(at + length)),
      ),
      { numRuns: 300 },
    );
  });
});

interface Shape {
  kind: 'action' | 'gate' | 'approval' | 'group' | 'each' | 'batch';
  inside: Shape[];
}
const shapes = fc.letrec<{ list: Shape[]; one: Shape }>((tie) => ({
  list: fc.array(tie('one'), { minLength: 1, maxLength: 3 }),
  one: fc.record({
    kind: fc.constantFrom('action', 'gate', 'approval', 'group', 'each', 'batch'),
    inside: fc.oneof({ maxDepth: 3 }, fc.constant<Shape[]>([{ kind: 'action', inside: [] }]), tie('list')),
  }),
}));

/** Any mix of groups, forEach and batches as far as the language lets them nest. */
function write(
  list: readonly Shape[],
  { indent, each, batch, next }: { indent: string; each: boolean; batch: boolean; next: () => string },
): string {
  return list
    .map(({ kind, inside }) => {
      const head = `${indent}- id: ${next()}\n`;
      const group = (more: string, now: { each: boolean; batch: boolean }) =>
        `${head}${more}${indent}  steps:\n${write(inside, { indent: `${indent}    `, ...now, next })}`;
      if (kind === 'group') return group('', { each, batch });
      if (kind === 'each' && !each)
        return group(`${indent}  forEach: { in: "\${params.apps}", key: name }\n`, { each: true, batch });
      if (kind === 'batch' && !batch) return group(`${indent}  batch: { sizes: [1, 50%] }\n`, { each, batch: true });
      if (kind === 'approval') return `${head}${indent}  approve: { count: 1 }\n`;
      if (kind === 'gate')
        return `${head}${indent}  gate: { probe: remesd.signerHeight, until: { height: { present: true } }, once: true }\n`;
      return `${head}${indent}  do: systemd.stop\n${indent}  with: { unit: x.service }\n`;
    })
    .join('');
}

describe('any valid runbook', () => {
  it('has a plan that fits the contract, with every instance id once', () => {
    fc.assert(
      fc.property(shapes.list, (list) => {
        let count = 0;
        const next = () => {
          count += 1;
          return `s-${count}`;
        };
        const text = `apiVersion: signalbox/v1
kind: Runbook
metadata: { name: any }
spec:
  params: { apps: { type: list, of: { name: string } } }
  hosts: { miners: { match: { role: miner } } }
  steps:
    - id: all
      hosts: miners
      steps:
${write(list, { indent: '        ', each: false, batch: false, next })}`;
        const { runbook } = parseRunbook(text, { file });
        if (!runbook) throw new Error('no runbook');
        const { plan, diagnostics } = makePlan(
          runbook,
          planInput({ hosts, params: { apps: [{ name: 'a' }, { name: 'b' }] } }),
        );
        expect(
          renderDiagnostics(
            diagnostics.filter((d) => d.severity === 'error'),
            { file, text },
          ),
        ).toBe('');
        if (!plan) throw new Error('no plan');
        const ids = flatten(plan.steps).map((s) => s.id);
        expect(new Set(ids).size).toBe(ids.length);
        Plan.parse(plan);
        expect(renderPlan(plan, { format: 'text' }) + renderByHand(plan)).not.toContain('undefined');
      }),
      { numRuns: 100 },
    );
  });
});
