import { describe, expect, it } from 'vitest';
import { isInTree, merkleTree } from './merkle.ts';

const merkleRoot = (texts: readonly string[]) => merkleTree(texts).root;
const texts = (count: number) => Array.from({ length: count }, (_, i) => `text ${i}`);

describe('Merkle trees', () => {
  it('have the roots of RFC 6962', () => {
    // Of the test vectors that certificate-transparency publishes for its Merkle trees.
    expect(merkleRoot([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(merkleRoot([''])).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(merkleRoot(['', '\0'])).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125');
  });

  it('prove each text, and none in another tree or on another path', () => {
    for (let count = 1; count <= 20; count++) {
      const all = texts(count);
      const root = merkleRoot(all);
      const other = merkleRoot([...all, 'one more']);
      for (const [index, text] of all.entries()) {
        const path = merkleTree(all).pathTo(index);
        expect(isInTree(root, text, path)).toBe(true);
        expect(isInTree(other, text, path)).toBe(false);
        expect(isInTree(root, 'something else', path)).toBe(false);
        for (let i = 0; i < path.length; i++) expect(isInTree(root, text, path.toSpliced(i, 1))).toBe(false);
      }
    }
  });

  it('take no inner node for a text', () => {
    const [a, b] = [merkleRoot(['a']), merkleRoot(['b'])];
    const node = Buffer.concat([Buffer.from(a, 'hex'), Buffer.from(b, 'hex')]).toString('latin1');
    expect(isInTree(merkleRoot(['a', 'b']), node, [])).toBe(false);
  });

  it('have no path to what is not there', () => {
    expect(() => merkleTree(texts(3)).pathTo(3)).toThrow(RangeError);
  });
});
