import {
  type ActionTarget,
  DEFAULTS,
  type Json,
  type JsonObject,
  type LeafStep,
  type Retry,
} from '@signalbox/protocol';
import { effectOf, fillTemplate, hasUndo } from '../lookup.ts';
import { get, itemsOf, type MapNode, textAt } from '../node.ts';
import { lastPointOfNoReturn } from '../step-queries.ts';
import { readWith } from '../values.ts';
import type { BindContext } from './bind.ts';
import { exclusiveGuards } from './exclusive.ts';
import { durationMs, shown } from './fields.ts';
import { needs, type One, withOf } from './one.ts';

/** An action with its parameters, sentences and exclusive guards for each host. */
export function actionLeaf(one: One): LeafStep[] {
  const { leaf, base, hosts, bound, context } = one;
  const { node } = leaf.step;
  const spec = context.lookup.actionOf(leaf.step);
  const effect = spec && effectOf(leaf.step, spec);
  if (!spec || !effect) return [];
  const last = lastPointOfNoReturn(context.instances.runbook);
  const sealed = last !== undefined && leaf.step.order > last.order;
  const reversible = !sealed && hasUndo(leaf.step, spec);
  const targets = hosts.map((host): ActionTarget => {
    needs(host, 'action', { name: spec.name, key: 'do', one });
    const input = readWith(withOf(node, one, host), spec, { report: context.report, references: false });
    const fill = (template: string) => fillFrom(input, template);
    return {
      host: host.name,
      with: input,
      does: fill(spec.does),
      ...(reversible && spec.undoes ? { undoes: fill(spec.undoes) } : {}),
      touches: spec.touches.map(fill),
      exclusive: exclusiveGuards(
        spec,
        { host: host.name, with: input, reversible },
        {
          resources: context.resources,
          hosts: [...context.hosts.values()],
        },
      ),
    };
  });
  const timeoutMs = durationMs(get(node, 'timeout'), bound) ?? spec.timeoutMs ?? DEFAULTS.actionTimeoutMs;
  const [first] = targets;
  const leaves = reversible && spec.leaves ? { leaves: first ? fillFrom(first.with, spec.leaves) : spec.leaves } : {};
  const known = { action: spec.name, version: spec.version, effect, reversible, timeoutMs, retry: retry(node, bound) };
  const byHand = reversible && spec.byHand ? { byHand: spec.byHand } : {};
  return [{ ...base, kind: 'action', ...known, ...leaves, ...byHand, targets }];
}

function fillFrom(input: JsonObject, template: string): string {
  // An optional parameter that was not given leaves no gap in the sentence.
  return fillTemplate(template, (field) => shown(at(input, field)) ?? '')
    .replace(/ {2,}/g, ' ')
    .trim();
}

function at(value: Json, field: string): Json | undefined {
  let current: Json | undefined = value;
  for (const key of field.split('.')) {
    const map: Json | undefined = current;
    current = typeof map === 'object' && map !== null && !Array.isArray(map) ? map[key] : undefined;
  }
  return current;
}

function retry(node: MapNode, bound: BindContext): Retry {
  const said = get(node, 'retry');
  return {
    attempts: Number(textAt(said, 'attempts') ?? 1),
    backoffMs: durationMs(get(said, 'backoff'), bound) ?? DEFAULTS.retryBackoffMs,
    retryOn: itemsOf(get(said, 'retryOn')).flatMap((code) => (code.kind === 'scalar' ? [code.text] : [])),
  };
}
