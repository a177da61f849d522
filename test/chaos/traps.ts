import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Point } from '@signalbox/protocol/points';

/** Names the folder in which a program finds its traps. */
export const TRAP_VARIABLE = 'SIGNALBOX_CHAOS_TRAPS';

/** Traps that may be laid beside each other, one in each place. */
export const PLACES = ['self', 'self-later', 'nats'] as const;
export type Place = (typeof PLACES)[number];

export interface Trap {
  readonly id: string;
  readonly point: Point;
  /** Springs when the point is passed for the n-th time since it was laid, or since the program's start. */
  readonly passage: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Whom to strike; left out: whoever springs it. */
  readonly pid?: number;
}

export const trapFile = (dir: string, place: Place) => join(dir, `${place}.json`);
export const sprungFile = (dir: string, place: Place) => join(dir, `${place}.sprung`);

/** The traps of one program. They stay laid when it is started again. */
export class Traps {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  lay(place: Place, trap: Trap): void {
    rmSync(sprungFile(this.dir, place), { force: true });
    const beside = join(this.dir, `${place}.new`);
    writeFileSync(beside, JSON.stringify(trap));
    renameSync(beside, trapFile(this.dir, place));
  }

  sprung(place: Place): boolean {
    return existsSync(sprungFile(this.dir, place));
  }

  remove(place: Place): void {
    rmSync(trapFile(this.dir, place), { force: true });
  }
}
