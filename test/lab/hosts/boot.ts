import { beforeAll, inject } from 'vitest';
import { Lab } from './lab.ts';

const BOOT_MS = 600_000;
const wanted = inject('lab');

// Before each file of tests; all after the first find it running.
beforeAll(async () => {
  if ('name' in wanted && Lab.attach(wanted.name) === undefined) await Lab.up({ name: wanted.name });
}, BOOT_MS);
