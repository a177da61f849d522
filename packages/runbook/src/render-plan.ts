import type { Plan } from '@signalbox/protocol';
import { planByHand } from './render/by-hand.ts';
import { planAsMarkdown } from './render/markdown.ts';
import { planAsText } from './render/text.ts';

export interface RenderPlanOptions {
  format: 'text' | 'md';
  /** What has changed since the plan was made. */
  drift?: readonly string[];
  /** Columns of the terminal; 110 unless given. */
  width?: number;
}

/** Screen 1: what will happen, for the operator as text, for everybody else as markdown. */
export function renderPlan(plan: Plan, { format, drift = [], width }: RenderPlanOptions): string {
  if (format === 'md') return planAsMarkdown(plan, drift);
  return planAsText(plan, width === undefined ? { drift } : { drift, width });
}

/** The plan as a check list for people, for the night on which the mesh itself is what has failed. */
export function renderByHand(plan: Plan): string {
  return planByHand(plan);
}
