import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Where the program finds what belongs to it. This file stands where `main.ts` stands, and in a bundle every part of it does
// as well, so that both hold: nothing else looks for files by its own place.

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The version of this package: what `--version`, the mesh and runs say. */
export const VERSION: string = version;

/** The program that this process is, to start another one like it. */
export const PROGRAM: string = fileURLToPath(new URL('./main.js', import.meta.url));

/** The agent's, in a checkout or where both packages are installed side by side by npm. */
export const AGENT_PROGRAMS: readonly string[] = [
  '../../agent/dist/main.js',
  '../../@signalbox/agent/dist/main.js',
].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** The simulator's, which stands beside the coordinator in a checkout, and beside this file in an installed package. */
export const SIMULATOR_PROGRAMS: readonly string[] = ['../../packages/simulator/dist/main.js', './simulator.js'].map(
  (path) => fileURLToPath(new URL(path, import.meta.url)),
);
