import type { Catalogue, HostState, Json, JsonObject } from '@signalbox/protocol';
import type { ParamValues } from '../param-values.ts';

/** An enrolled host, as the mesh remembers it. */
export interface HostForPlan {
  name: string;
  labels: Readonly<Record<string, string>>;
  journal: string;
  machine: string;
  key: string;
  state: HostState;
  /** `name@version` or `name` of what its agent can do. */
  actions: readonly string[];
  probes: readonly string[];
  facts?: Readonly<Record<string, Json>>;
}

export interface PlanInput {
  mesh: string;
  /** From `readParamFile`, or plain data; text such as `-p count=3` gives is read by the declared type. */
  params: ParamValues | JsonObject;
  /** All hosts that are enrolled, whether they answer or not. */
  hosts: readonly HostForPlan[];
  /** `--hosts miners=miner-1,miner-2`: instead of the role's labels. */
  chosen?: Readonly<Record<string, readonly string[]>>;
  /** `--without miner-7`: the operator's word that the run goes on without it. */
  without?: readonly string[];
  catalogue: Catalogue;
  madeBy: string;
  nowMs: number;
  /** SHA-256 of the runbook's exact text; the caller has the means to compute it. */
  sha256: string;
  onFailure?: 'rollback' | 'hold';
}
