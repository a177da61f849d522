import { readFileSync } from 'node:fs';
import type { HostPaths } from './paths.ts';
import type { Signature } from './standins/remesd/signer.ts';

/** What the network saw the validator sign, in order. A line that is being written is left for the next look. */
export function readSignatures({ paths }: { paths: Pick<HostPaths, 'labSignatures'> }): Signature[] {
  const text = readFileSync(paths.labSignatures, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Heights at which the validator signed two different blocks. One is enough to be tombstoned. */
export function countDoubleSigns(signatures: readonly Signature[]): number {
  const blocks = new Map<number, Set<string>>();
  for (const { height, blockHash } of signatures) {
    blocks.set(height, (blocks.get(height) ?? new Set()).add(blockHash));
  }
  return [...blocks.values()].filter((hashes) => hashes.size > 1).length;
}

export function lowestSignedHeight(signatures: readonly Signature[]): number | undefined {
  return signatures.length === 0 ? undefined : Math.min(...signatures.map(({ height }) => height));
}

export function highestSignedHeight(signatures: readonly Signature[]): number | undefined {
  return signatures.length === 0 ? undefined : Math.max(...signatures.map(({ height }) => height));
}
