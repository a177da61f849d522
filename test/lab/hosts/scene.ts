import type { Lab } from './lab.ts';
import type { Hands } from './people.ts';

/** A runbook with what it is played with, as short as its gates allow. */
export interface Scene {
  name: string;
  /** Its file name in runbooks/r3mes, where it is another than the scene's name. */
  runbook?: string;
  /** Hosts that it may change. */
  hosts: readonly string[];
  params: (lab: Lab) => Promise<Readonly<Record<string, unknown>>>;
  /** What these hosts have beside what they are furnished with, each time before it is played. */
  prepare?: (lab: Lab) => Promise<void>;
  hands?: Hands;
}

export const QUICK = { window: '1s' };

export const runbookOf = ({ name, runbook = name }: Scene) => runbook;
