import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Point } from '@signalbox/protocol/points';

/** Names the folder in which a program finds its traps. */
export const TRAP_VARIABLE = 'SIGNALBOX_CHAOS_TRAPS';

/** Traps that may be laid beside each other, one in each place. Whoever strikes itself strikes others first. */
export const PLACES = ['keeper', 'nats', 'self', 'self-later'] as const;
export type Place = (typeof PLACES)[number];

export interface Trap {
  readonly id: string;
  readonly point: Point;
  /** Springs when the point is passed for the n-th time since it was laid, or since the program's start. */
  readonly passage: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Whom to strike: a process, or the keeper of a state folder. Left out: whoever springs it. */
  readonly pid?: number;
  readonly keeperOf?: string;
}

export const trapFile = (dir: string, place: Place) => join(dir, `${place}.json`);
const sprungFile = (dir: string, place: Place) => join(dir, `${place}.sprung`);
const victimFile = (dir: string, place: Place) => join(dir, `${place}.victim`);

/**
 * Says who is struck, before the blow. In one move the trap is no more and has sprung: nobody who takes traps away finds
 * one that is neither. @throws Error (ENOENT) when it has been taken away.
 */
export function spring(dir: string, place: Place, pid: number): void {
  writeWhole(victimFile(dir, place), String(pid));
  renameSync(trapFile(dir, place), sprungFile(dir, place));
}

/** Whoever reads it finds all of it, or nothing. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** The traps of one program. They stay laid when it is started again. */
export class Traps {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  lay(place: Place, trap: Trap): void {
    rmSync(sprungFile(this.dir, place), { force: true });
    writeWhole(trapFile(this.dir, place), JSON.stringify(trap));
  }

  /** The process that was struck; undefined while the trap is laid. */
  struck(place: Place): number | undefined {
    return existsSync(sprungFile(this.dir, place))
      ? Number(readFileSync(victimFile(this.dir, place), 'utf8'))
      : undefined;
  }

  remove(place: Place): void {
    rmSync(trapFile(this.dir, place), { force: true });
  }
}
