import type { Catalogue, Plan } from '@signalbox/protocol';
import type { Crowd } from './people.ts';

/** Somebody's plan, made ready for simulated hosts, and what it needs of the world. */
export interface Given {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly crowd: Crowd;
  /** How much longer than a small plan it may take to come to an end. */
  readonly moreMs: number;
}

/** A host loses power at a step; where `host` is null, the coordinator dies. */
export interface Death {
  readonly step: string;
  readonly host: string | null;
  /** At a random moment, at most so long after the step began. */
  readonly withinMs: number;
}
