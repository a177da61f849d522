export * from './codes.ts';
export { besideFile, loadSettings } from './load.ts';
export { loadSeed } from './seed.ts';
export { closest } from './suggest.ts';
export { loadCa } from './text-file.ts';
