import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `work NAME [until WORD]`: a program for steps that counts its executions itself, whatever any log says. It marks its
 * begin and its end beside the folder that it lies in, and with `until` goes on until the test has made the file WORD, or
 * has ended and taken the folder away: then it leaves no mark there.
 */
export const WORK = `#!/bin/sh
home=$(dirname "$(dirname "$0")")
echo "$SIGNALBOX_COMMAND_ID begin $1" >> "$home/marks"
if [ "$2" = until ]; then
  while [ ! -e "$home/$3" ]; do
    [ -e "$home/marks" ] || exit 1
    sleep 0.05
  done
fi
echo "$1 was here"
echo "$SIGNALBOX_COMMAND_ID end $1" >> "$home/marks"
`;

export interface Mark {
  readonly command: string;
  readonly what: 'begin' | 'end';
  readonly name: string;
}

export function readMarks(dir: string): Mark[] {
  const path = join(dir, 'marks');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [command = '', what, name = ''] = line.split(' ');
    return { command, what: what === 'end' ? 'end' : 'begin', name };
  });
}

/** A step of a runbook that does `work` and can be taken back. */
export function workStep(id: string, { role = 'boxes', until }: { role?: string; until?: string } = {}): string {
  const words = until === undefined ? id : `${id}, until, ${until}`;
  return `- id: ${id}
  hosts: ${role}
  do: exec.run
  with:
    argv: [work, ${words}]
    effect: reversible
    undo: { argv: [work, undo-${id}] }
`;
}
