import { basename } from 'node:path';
import type { Clock, ProcessGroup } from '../../ports.ts';
import { COMMAND_VARIABLE } from '../environment.ts';
import { isAlive } from '../processes.ts';
import type { Starter, Tree } from '../starter.ts';
import { treeOf } from '../tree.ts';
import { unitNameOf } from '../unit.ts';
import type { Units } from '../units.ts';
import type { KeeperClient } from './client.ts';
import { findExit } from './exit-file.ts';
import type { Exit } from './wire.ts';

/** How often the disk is asked for an exit that nobody will tell. */
const LOOK_MS = 200;

export interface KeeperStarterOptions {
  client: KeeperClient;
  clock: Clock;
  /** Each process gets one; undefined: they stay in the control group of the agent. */
  units?: Units | undefined;
}

/**
 * Starts processes through the keeper, which outlives the agent and knows how they end. Forking a program as large as the
 * agent also takes longer than the whole of a short process.
 */
export function createKeeperStarter({ client, clock, units }: KeeperStarterOptions): Starter {
  return {
    async start({ argv, env, cwd, stdin, files }) {
      const unit = units && { ...units, name: unitNameOf(files), description: descriptionOf(env) };
      for (;;) {
        const { keeper, started, exit } = await client.start({ argv, env, cwd, stdin, files, unit });
        const group = await started;
        const tree = keptTree(group, files);
        const told = group === undefined ? await exit : undefined;
        // A keeper that ends in this very moment may not have read what was sent to it.
        if (group === undefined && told === undefined && (await neverBegun({ files, keeper, tree, clock }))) continue;
        const found = async () => (await exit) ?? (await waitForExit({ files, keeper, tree, clock }));
        return { group, exit: found(), out: `${files}.out`, err: `${files}.err`, tree };
      }
    },
    find(files, group) {
      const found = findExit(files);
      if (found === undefined) return undefined;
      const tree = keptTree(group, files);
      const exit = 'exit' in found ? Promise.resolve(found.exit) : waitForExit({ ...found, files, tree, clock });
      return { group, exit, out: `${files}.out`, err: `${files}.err`, tree };
    },
  };
}

/** Whether or not there are units now: the agent before this one may have had them. */
const keptTree = (group: ProcessGroup | undefined, files: string): Tree =>
  treeOf(group, { mark: files, unit: unitNameOf(files) });

/** Stands in the journal of the host. Arguments do not. */
const descriptionOf = (env: Readonly<Record<string, string>>): string =>
  `Signalbox step ${env[COMMAND_VARIABLE] ?? ''}`.trimEnd();

export interface ExitQuestion {
  files: string;
  /** Who was asked to start the process. */
  keeper: ProcessGroup;
  tree: Pick<Tree, 'isAlive'>;
  clock: Clock;
}

/** Whether a keeper that went away did so before it began. Resolves when that is certain. */
async function neverBegun({ files, keeper, clock }: ExitQuestion): Promise<boolean> {
  // In this order: what it did last is still seen.
  for (let gone = !isAlive(keeper); ; gone = !isAlive(keeper)) {
    if (findExit(files) !== undefined) return false;
    if (gone) return true;
    await pause(clock);
  }
}

/**
 * How a process ended that a keeper was to start, when the keeper does not tell. While the keeper lives it will write it
 * down; when both are gone and nothing is written, nobody will ever know.
 */
export async function waitForExit({ files, keeper, tree, clock }: ExitQuestion): Promise<Exit> {
  for (;;) {
    const over = !isAlive(keeper) && !tree.isAlive();
    const found = findExit(files);
    if (found && 'exit' in found) return found.exit;
    if (over) return { type: 'lost', reason: `nobody saw how ${basename(files)} ended` };
    await pause(clock);
  }
}

const pause = (clock: Clock) => new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
