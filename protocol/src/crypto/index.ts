export * from './hash.ts';
export * from './keys.ts';
export * from './merkle.ts';
export * from './proof.ts';
export * from './seal.ts';
