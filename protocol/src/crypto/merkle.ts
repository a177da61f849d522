import { createHash } from 'node:crypto';
import type { MerkleStep } from '../proof.ts';

/**
 * Merkle trees as in RFC 6962, section 2.1, over texts: one short hash stands for all of them, and a path of a few hashes
 * proves that one text is among them. Hashes are lower-case hexadecimal SHA-256.
 */
export interface MerkleTree {
  readonly root: string;
  /** From a text up to the root. @throws RangeError when there is no text at that index. */
  pathTo(index: number): MerkleStep[];
}

export function merkleTree(texts: readonly string[]): MerkleTree {
  const root = nodeOf(texts);
  return {
    root: root?.hash ?? createHash('sha256').digest('hex'),
    pathTo(index) {
      if (!root || !Number.isInteger(index) || index < 0 || index >= texts.length)
        throw new RangeError(`no text at ${index}`);
      return pathIn(root, index);
    },
  };
}

/** Whether that text is one of those that the root stands for. */
export function isInTree(root: string, text: string, path: readonly MerkleStep[]): boolean {
  const join = (hash: string, step: MerkleStep) =>
    'left' in step ? nodeHash(step.left, hash) : nodeHash(hash, step.right);
  return path.reduce(join, leafHash(text)) === root;
}

interface Node {
  readonly hash: string;
  /** How many texts are below. */
  readonly size: number;
  readonly children?: readonly [Node, Node];
}

function nodeOf(texts: readonly string[]): Node | undefined {
  const [first] = texts;
  if (first === undefined) return undefined;
  if (texts.length === 1) return { hash: leafHash(first), size: 1 };
  const middle = largestPowerBelow(texts.length);
  const left = nodeOf(texts.slice(0, middle));
  const right = nodeOf(texts.slice(middle));
  return left && right && { hash: nodeHash(left.hash, right.hash), size: texts.length, children: [left, right] };
}

function pathIn({ children }: Node, index: number): MerkleStep[] {
  if (!children) return [];
  const [left, right] = children;
  return index < left.size
    ? [...pathIn(left, index), { right: right.hash }]
    : [...pathIn(right, index - left.size), { left: left.hash }];
}

function largestPowerBelow(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}

/** Leaves and nodes are told apart by their first byte: no text can be passed off as a node. */
function leafHash(text: string): string {
  return createHash('sha256').update('\0').update(text).digest('hex');
}

function nodeHash(left: string, right: string): string {
  return createHash('sha256').update('\u0001').update(left, 'hex').update(right, 'hex').digest('hex');
}
