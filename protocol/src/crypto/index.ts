export * from './hash.ts';
export * from './keys.ts';
export * from './seal.ts';
