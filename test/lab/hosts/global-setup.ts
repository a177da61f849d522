import type { TestProject } from 'vitest/node';
import { Lab } from './lab.ts';
import { whyNoLab } from './requirements.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The lab that all lab tests share, or why there is none. */
    lab: { name: string } | { missing: string };
  }
}

/**
 * One lab for all tests of the project: booted before the first, removed after the last. With SIGNALBOX_LAB=NAME it is the one
 * that `npm run lab -- up --name NAME` made, which is left as it is: for whoever writes a test.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const missing = whyNoLab();
  const { SIGNALBOX_LAB: given } = process.env;
  if (missing !== undefined || given !== undefined) {
    project.provide('lab', missing === undefined ? { name: given ?? '' } : { missing });
    return undefined;
  }
  const lab = await Lab.up({ name: `t${process.pid}` });
  project.provide('lab', { name: lab.name });
  return () => lab.down();
}
