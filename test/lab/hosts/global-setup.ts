import type { TestProject } from 'vitest/node';
import { Lab } from './lab.ts';
import { whyNoLab } from './requirements.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The lab that all lab tests share, or why there can be none. */
    lab: { name: string } | { missing: string };
  }
}

/**
 * Names the lab and removes it at the end, of which nothing may be left then. It is brought up by the first test that needs it (`boot.ts`): this here is called
 * also when no test of the lab is among those that run. With SIGNALBOX_LAB=NAME it is the one that
 * `npm run lab -- --name NAME up` made, which is left as it is: for whoever writes a test.
 */
export default function setup(project: TestProject): (() => Promise<void>) | undefined {
  const missing = whyNoLab();
  const { SIGNALBOX_LAB: given } = process.env;
  const name = given ?? `t${process.pid}`;
  project.provide('lab', missing === undefined ? { name } : { missing });
  if (missing !== undefined || given !== undefined) return undefined;
  return async () => {
    const lab = Lab.attach(name);
    if (lab === undefined) return;
    await lab.down();
    const left = await Lab.remains(name);
    if (left.length > 0) throw new Error(`the lab is down, and left on this machine: ${left.join(', ')}`);
  };
}
