import { createCurve, fromCurveSeed, type KeyPair } from 'nkeys.js';

/** An X25519 key in nkey encoding. */
export interface CurveKey {
  /** `X...` */
  readonly publicKey: string;
  /** Secret seed, `SX...`. Never logged, never sent. */
  readonly seed: string;
}

export function createCurveKey(): CurveKey {
  return curveKeyOf(createCurve());
}

/** @throws Error when the text is not the seed of a curve key; what it is, is not in its message. */
export function curveKeyFromSeed(seed: string): CurveKey {
  return curveKeyOf(curvePair(seed));
}

export function curvePair(seed: string): KeyPair {
  try {
    return fromCurveSeed(new TextEncoder().encode(seed.trim()));
  } catch {
    throw new Error('not the seed of a curve key');
  }
}

function curveKeyOf(pair: KeyPair): CurveKey {
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}
