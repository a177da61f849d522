export * from './codes.ts';
export { besideFile, loadSettings } from './load.ts';
export { loadSeed, parseSeed } from './seed.ts';
export { closest } from './suggest.ts';
export { loadCa, loadJwt } from './text-file.ts';
