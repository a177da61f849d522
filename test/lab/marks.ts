import { existsSync, readFileSync } from 'node:fs';
import type { HostPaths } from './paths.ts';
import type { Mark } from './standins/mark.ts';

export function readMarks({ paths }: { paths: Pick<HostPaths, 'labMarks'> }): Mark[] {
  if (!existsSync(paths.labMarks)) return [];
  return readFileSync(paths.labMarks, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** What was done to hosts in the name of commands, counted from the hosts' own marks. */
export interface Executions {
  /** Commands of which the hosts saw at least one process. */
  commands: Set<string>;
  /** Changes that one command made twice: the same program with the same arguments. Zero, or I1 is broken. */
  doubles: number;
}

export function countExecutions(marks: readonly Mark[]): Executions {
  const commands = new Set<string>();
  const changes = new Map<string, number>();
  for (const { commandId, mutates, program, argv } of marks) {
    if (commandId === undefined) continue;
    commands.add(commandId);
    if (!mutates) continue;
    const change = JSON.stringify([commandId, program, argv]);
    changes.set(change, (changes.get(change) ?? 0) + 1);
  }
  const doubles = [...changes.values()].reduce((sum, times) => sum + times - 1, 0);
  return { commands, doubles };
}
