import { readFileSync } from 'node:fs';

/** The other validators: blocks come at their own pace, whether this node runs or not. */
export interface Network {
  chainId: string;
  /** Whose signatures count. */
  validator: string;
  firstHeight: number;
  startedAtMs: number;
  blockMs: number;
}

export function readNetwork(path: string): Network {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function networkHeight({ firstHeight, startedAtMs, blockMs }: Network, nowMs: number): number {
  return firstHeight + Math.max(0, Math.floor((nowMs - startedAtMs) / blockMs));
}

export function blockTime({ firstHeight, startedAtMs, blockMs }: Network, height: number): Date {
  return new Date(startedAtMs + (height - firstHeight) * blockMs);
}
