import { requireReal } from '@signalbox/actions/testing';
import { inject } from 'vitest';
import { Lab } from './lab.ts';

const found = inject('lab');

/** For `describe.runIf`: a machine without a lab skips with one line, and CI fails. */
export const LAB_IS_THERE = requireReal(
  'missing' in found ? `lab of systemd hosts (${found.missing})` : 'lab of systemd hosts',
  'name' in found,
);

/** The lab that all tests share. What a test changes on its hosts, it puts back. */
export function sharedLab(): Lab {
  const lab = 'name' in found ? Lab.attach(found.name) : undefined;
  if (!lab) throw new Error('there is no lab');
  return lab;
}
