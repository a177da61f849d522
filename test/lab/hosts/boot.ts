import { beforeAll, inject } from 'vitest';
import { Lab } from './lab.ts';

const BOOT_MS = 600_000;
const wanted = inject('lab');

// Before each file of tests; all after the first find it running.
beforeAll(async () => {
  if (!('name' in wanted) || Lab.attach(wanted.name) !== undefined) return;
  const startedMs = performance.now();
  await Lab.up({ name: wanted.name });
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  process.stdout.write(`lab of systemd hosts: up in ${seconds} s\n`);
}, BOOT_MS);
