import type { World } from '../world.ts';

/** What came out at the other end, against what was acknowledged to those who wrote it. */
export interface Counted {
  readonly written: number;
  readonly lost: number;
  readonly duplicated: number;
  /** How many may be there twice after what was done to them. */
  readonly accepted: number;
}

/** A place of a runbook, and a host that has to do with it. */
export interface Place {
  /** Without the items of groups: the first instance stands for all of them. */
  readonly step: string;
  readonly host: string;
}

/** A world that is kept up for one run after the other. */
export interface Stage {
  readonly world: World;
  /** What names the runbook and its parameters on a command line. */
  readonly words: readonly string[];
  /** How long a run may take after a kill, with a hold or two, on a machine that does other things as well. */
  readonly patienceMs: number;
  /** Who can be killed at each of these places. */
  victimsAt(place: Place, steps: readonly string[]): readonly string[];
  /** Everything as it was before a move, with nothing in it, and under load. */
  startOver(): Promise<void>;
  /** SIGKILL, and what starts it again on a real host. Resolves when it is up. */
  strike(victim: string, place: Place): Promise<void>;
  /** When a run is over: that services work where they should, and what has become of what they wrote. */
  settle(at: 'source' | 'destination'): Promise<Counted>;
  end(): Promise<void>;
}

export const stepOf = (path: string): string => path.replaceAll(/\[[^\]]*\]/g, '');
