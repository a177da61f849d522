import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This file is `packaging/src/repository.ts`, or `packaging/dist/repository.js` when it was built: two below the top. */
const TOP = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export const inRepository = (...parts: string[]): string => join(TOP, ...parts);
