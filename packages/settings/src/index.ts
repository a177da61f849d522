export * from './codes.ts';
export { loadSettings } from './load.ts';
export { loadSeed } from './seed.ts';
export { closest } from './suggest.ts';
