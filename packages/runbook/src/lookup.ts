import type { ActionSpec, Catalogue, Effect, ProbeSpec } from '@signalbox/protocol';
import type { Step } from './model.ts';
import { get, textAt } from './node.ts';
import { probeOf } from './step-queries.ts';

/** The catalogue by name. */
export interface Lookup {
  actions: ReadonlyMap<string, ActionSpec>;
  probes: ReadonlyMap<string, ProbeSpec>;
  actionOf(step: Step): ActionSpec | undefined;
  probeOf(step: Step): ProbeSpec | undefined;
}

export function lookupIn(catalogue: Catalogue): Lookup {
  const actions = new Map(catalogue.actions.map((a) => [a.name, a]));
  const probes = new Map(catalogue.probes.map((p) => [p.name, p]));
  return {
    actions,
    probes,
    actionOf: (step) => actions.get(textAt(step.node, 'do') ?? ''),
    probeOf: (step) => probes.get(probeOf(step)?.name ?? ''),
  };
}

const EFFECTS: readonly Effect[] = ['read', 'reversible', 'idempotent', 'irreversible'];

/** What a step does to the world: the action's word, or its author's for an action that cannot know. */
export function effectOf(step: Step, action: ActionSpec): Effect | undefined {
  if (action.effect !== 'declared') return action.effect;
  return EFFECTS.find((effect) => effect === textAt(step.node, 'with', 'effect'));
}

/** Whether a step changes something and can take it back. */
export function hasUndo(step: Step, action: ActionSpec): boolean {
  if (effectOf(step, action) !== 'reversible') return false;
  return action.effect !== 'declared' || get(step.node, 'with', 'undo') !== undefined;
}

/** Fills `{field}` of an action's template; a dotted field looks inside. Unknown fields stay visible. */
export function fillTemplate(template: string, show: (field: string) => string | undefined): string {
  return template.replace(/\{([A-Za-z0-9_.-]+)\}/g, (whole, field: string) => show(field) ?? whole);
}

/** A template's text as far as the written step tells it: references stay as they are. */
export function templateOf(template: string | undefined, step: Step): string | undefined {
  return template && fillTemplate(template, (field) => textAt(step.node, 'with', ...field.split('.')));
}
