import type { Plan } from '@signalbox/protocol';
import { planByHand } from './render/by-hand.ts';
import { planAsMarkdown } from './render/markdown.ts';
import { planAsText } from './render/text.ts';

export interface RenderPlanOptions {
  format: 'text' | 'md';
  /** SHA-256 of the plan's exact text, which `start` shows again; without it the runbook's own is shown. */
  hash?: string;
  /** What has changed since the plan was made. */
  drift?: readonly string[];
  /** Columns of the terminal; 110 unless given. */
  width?: number;
}

/** Screen 1: what will happen, for the operator as text, for everybody else as markdown. */
export function renderPlan(plan: Plan, { format, hash, drift = [], width }: RenderPlanOptions): string {
  if (format === 'md') return planAsMarkdown(plan, drift);
  return planAsText(plan, {
    drift,
    ...(hash === undefined ? {} : { hash }),
    ...(width === undefined ? {} : { width }),
  });
}

/** The plan as a check list for people, for the night on which the mesh itself is what has failed. */
export function renderByHand(plan: Plan): string {
  return planByHand(plan);
}
