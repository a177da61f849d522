import type { Direction, RunEvent } from '@signalbox/protocol';
import { spokenId } from '@signalbox/sequencer';
import type { Lab } from './lab.ts';
import { signalbox } from './signalbox.ts';

/** What a person does at a manual step before it is confirmed, by its id; at one that is not named, nothing. */
export type Hands = Readonly<Record<string, Partial<Record<Direction, (lab: Lab) => Promise<void>>>>>;

/** Those who follow a run and do what it asks of them. @throws Error with what `signalbox` says. */
export type People = (run: string, event: RunEvent) => Promise<void>;

/** People who approve whatever they are asked, and do what manual steps say. */
export function willing(lab: Lab, hands: Hands = {}): People {
  return async (run, event) => {
    if (event.type !== 'StepStarted') return;
    const step = spokenId(event.step);
    if (event.work.kind === 'approval') await say(lab, 'approve', run, step, '--yes');
    if (event.work.kind !== 'manual') return;
    await hands[step]?.[event.direction]?.(lab);
    await say(lab, 'confirm', run, step, '--note', 'done as it says');
  };
}

async function say(lab: Lab, ...words: string[]): Promise<void> {
  const { exitCode, stderr } = await signalbox(lab, ...words);
  if (exitCode !== 0) throw new Error(`signalbox ${words.join(' ')} ended with ${exitCode}: ${stderr.trim()}`);
}
