export * from './codes.ts';
export { besideFile, loadSettings } from './load.ts';
export { type LockedSeed, loadPersonsSeed, loadSeed, parseSeed } from './seed.ts';
export { closest } from './suggest.ts';
export { loadJwt, loadText } from './text-file.ts';
