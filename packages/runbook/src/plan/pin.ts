import type { Json } from '@signalbox/protocol';
import type { Report, Span } from '../diagnostic.ts';
import type { Runbook, Step } from '../model.ts';
import type { Ref } from '../references.ts';
import { findStep, leavesOf } from '../step-queries.ts';
import type { Draft, DraftLeaf } from './draft.ts';

/** The instances of a plan by written step, and the rules by which one step means instances of another. */
export interface Instances {
  runbook: Runbook;
  byStep: ReadonlyMap<Step, readonly Draft[]>;
}

/** The one instance and host that `${steps.x...}` means: the same item, the same host, or the only one there is. */
export function pin(
  ref: Extract<Ref, { root: 'steps' }>,
  { from, host, at, report }: { from: DraftLeaf; host: string | undefined; at: Span; report: Report },
  { runbook, byStep }: Instances,
): Json | undefined {
  const target = findStep(runbook, from.step.scope, ref.step);
  if (!target) return undefined;
  const all = (byStep.get(target) ?? []).filter((d) => d.kind === 'leaf');
  const item = from.around.item?.key;
  const sameItem = all.filter((d) => d.around.item === undefined || d.around.item.key === item);
  const here = sameItem.filter((d) => host !== undefined && d.hosts.includes(host));
  const [only, ...more] = here.length > 0 ? here : sameItem;
  const onHost =
    only && (here.length > 0 && host !== undefined ? host : only.hosts.length === 1 ? only.hosts[0] : undefined);
  if (!only || onHost === undefined || more.length > 0) {
    const found = more.length > 0 || (only && only.hosts.length > 1) ? 'several hosts or items' : 'none';
    report('SB208', at, { message: `\`${ref.step}\` means ${found} for \`${from.id}\`${host ? ` on ${host}` : ''}.` });
    return undefined;
  }
  if (only.around.skip !== undefined) {
    report('SB207', at, { message: `\`${ref.step}\` is skipped (${only.around.skip}), so it has no ${ref.from}.` });
    return undefined;
  }
  return { $step: only.id, host: onHost, from: ref.from, path: ref.path };
}

/** The instance at whose start a fence ends: the one of the same item or batch, else the step as a whole. */
export function fenceEnd(id: string, from: DraftLeaf, { runbook, byStep }: Instances): string | undefined {
  const target = findStep(runbook, from.step.scope, id);
  const found = target ? (byStep.get(target) ?? []) : [];
  return (found.find((d) => d.around.suffix === from.around.suffix) ?? found[0])?.id;
}

/** The gates that a guard or `validWhile` names: of the same item where there is one, else all instances. */
export function gatesNamed(id: string, from: DraftLeaf, { runbook, byStep }: Instances): string[] {
  const target = findStep(runbook, from.step.scope, id);
  const gates = target ? leavesOf(target).filter((s) => s.kind === 'gate') : [];
  return gates.flatMap((gate) => {
    const all = (byStep.get(gate) ?? []).filter((d) => d.kind === 'leaf' && d.around.skip === undefined);
    const same = all.filter((d) => d.around.suffix.startsWith(from.around.suffix));
    return (same.length > 0 ? same : all).map((d) => d.id);
  });
}
