export * from './codes.ts';
export { besideFile, loadSettings } from './load.ts';
export { loadSeed, parseSeed } from './seed.ts';
export { closest } from './suggest.ts';
export { loadJwt, loadText } from './text-file.ts';
