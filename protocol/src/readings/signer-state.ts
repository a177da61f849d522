import { isJsonObject, type Json } from '../json.ts';
import { count64, parseJson64 } from './json64.ts';

/**
 * The last thing that a CometBFT validator key signed. CometBFT keeps it in `priv_validator_state.json` and signs nothing
 * at or below it: that file is all that stands between a restored node and a double signature [T05].
 */
export interface SignerState {
  /** Decimal when above 2^53. */
  height: number | string;
  round: number;
  /** 1 proposal, 2 prevote, 3 precommit. */
  step: number;
}

/** Where CometBFT keeps it below a node's data folder unless `priv_validator_state_file` says otherwise. */
export const SIGNER_STATE_FILE = 'priv_validator_state.json';

/** Reads the file's text; undefined when it does not say what was signed last. */
export function readSignerState(text: string): SignerState | undefined {
  let json: Json;
  try {
    json = parseJson64(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(json)) return undefined;
  const height = count64(json.height);
  const [round, step] = [json.round, json.step].map((value) => Number(count64(value ?? 0) ?? Number.NaN));
  if (height === undefined || round === undefined || step === undefined) return undefined;
  return Number.isSafeInteger(round) && Number.isSafeInteger(step) ? { height, round, step } : undefined;
}

/** Negative when `a` was signed before `b`: by height, then round, then step. */
export function compareSignerState(a: SignerState, b: SignerState): number {
  const [left, right] = [BigInt(a.height), BigInt(b.height)];
  if (left !== right) return left < right ? -1 : 1;
  return a.round - b.round || a.step - b.step;
}
