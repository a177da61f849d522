// Loaded into a program before its own first line (`node --import`): strikes when the program passes a named point for the
// n-th time since the trap was laid. A signal to oneself is delivered before the next line runs, so a death is exactly there.
import { subscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';
import { channelOf, POINTS } from '@signalbox/protocol/points';
import { keeperOf } from '../lab/keepers.ts';
import { PLACES, type Place, spring, TRAP_VARIABLE, type Trap, trapFile } from './traps.ts';

const passages = new Map<string, number>();

function passed(dir: string, place: Place, point: string): void {
  const trap: Trap = JSON.parse(readFileSync(trapFile(dir, place), 'utf8'));
  if (trap.point !== point) return;
  const passage = (passages.get(trap.id) ?? 0) + 1;
  passages.set(trap.id, passage);
  if (passage < trap.passage) return;
  const pid = trap.keeperOf === undefined ? (trap.pid ?? process.pid) : keeperOf(trap.keeperOf);
  if (pid === undefined) return;
  spring(dir, place, pid);
  process.kill(pid, trap.signal);
}

function watch(dir: string): void {
  for (const point of Object.keys(POINTS)) {
    subscribe(channelOf(point), () => {
      for (const place of PLACES) {
        if (!existsSync(trapFile(dir, place))) continue;
        try {
          passed(dir, place, point);
        } catch (error) {
          // Taken away in this moment, or whom it was for has ended: that is no harm to the program.
          if (!(error instanceof Error && 'code' in error)) throw error;
        }
      }
    });
  }
}

const folder = process.env[TRAP_VARIABLE];
if (folder !== undefined) watch(folder);
