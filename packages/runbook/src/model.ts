import type { Diagnostic, Span } from './diagnostic.ts';
import type { MapNode, Node } from './node.ts';
import type { ParamType } from './schema/runbook.ts';
import type { Kind } from './schema/step.ts';

/** A runbook as written, with its included files: names are still names, references still text. */
export interface Runbook {
  file: string;
  /** The texts of this file and of all included ones, for showing lines. */
  sources: ReadonlyMap<string, string>;
  name: string;
  summary: string;
  spec: MapNode;
  scope: Scope;
  roles: ReadonlyMap<string, Role>;
  exclusive: readonly Exclusive[];
  downtime: readonly Clock[];
  onFailure: 'rollback' | 'hold';
  whenBusy: 'wait' | 'refuse';
  steps: readonly Step[];
  /** Every step by its path, in the order of the file. */
  byPath: ReadonlyMap<string, Step>;
  /** What reading the text found; `checkRunbook` does not repeat it. */
  diagnostics: readonly Diagnostic[];
}

/** Which names mean what: one for the runbook, one more for each inclusion. */
export interface Scope {
  file: string;
  /** Before the ids of the steps in it: `backup/`. */
  prefix: string;
  params: ReadonlyMap<string, Param>;
  gates: ReadonlyMap<string, MapNode>;
  outer?: { scope: Scope; step: Step };
}

export interface Param {
  name: string;
  at: Span;
  type: ParamType;
  /** Of a list: the type of the items, or their fields. */
  of?: ParamType | ReadonlyMap<string, Field>;
  default?: Node;
  help?: string;
}
export interface Field {
  type: ParamType;
  default?: Node;
}

export interface Role {
  name: string;
  at: Span;
  match: Record<string, string>;
  min: number;
  max: number;
  offline: 'refuse' | 'skip';
}

export interface Exclusive {
  name: string;
  at: Span;
  unit: string;
  among: Record<string, string>;
  still?: { probe: string; at: Span };
}

export interface Clock {
  name: string;
  from: { id: string; at: Span };
  to: { id: string; at: Span };
  budget?: Node;
  onBudget: 'warn' | 'hold' | 'rollback';
}

/** A step as written. */
export interface Step {
  kind: Kind;
  /** Its id with those of the inclusions around it: `backup/stopped`. */
  path: string;
  at: Span;
  node: MapNode;
  scope: Scope;
  parent: Step | undefined;
  children: readonly Step[];
  /** Position among all written steps: earlier in the file is smaller. */
  order: number;
}
