import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * `work do|undo|fail|probe RUN STEP SECONDS`: the program of every step. It counts its executions itself, and keeps what
 * it did in the host's own files, whatever any log says. To do again what is done, or to undo what is not, it calls
 * `again`. Its effect is one system call, so a probe that is asked after its end is never wrong.
 */
const WORK = `#!/bin/sh
home=\${0%/*/*}
thing="$home/done/$2.$3"
if [ "$1" = probe ]; then [ -e "$thing" ]; exit; fi
verb=$1
say() { echo "$1 $verb $SIGNALBOX_COMMAND_ID" >> "$home/marks"; }
say begin
sleep "$4"
set -C
case "$1" in
  do) true 2> /dev/null > "$thing" || say again ;;
  undo) rm "$thing" 2> /dev/null || say again ;;
  fail) say end; exit 3 ;;
esac
say end
`;

/** What a host has seen of a command. `again`: what was there already was done once more. */
export type Mark = z.infer<typeof Mark>;
const Mark = z.strictObject({
  what: z.enum(['begin', 'end', 'again']),
  verb: z.enum(['do', 'undo', 'fail']),
  command: z.string(),
});
const WORDS = ['what', 'verb', 'command'];

/** The folder that plays a host: its program, its marks, and what was done to it. */
export class WorkHost {
  readonly name: string;
  readonly #dir: string;

  constructor(name: string, dir: string) {
    this.name = name;
    this.#dir = dir;
    for (const folder of ['bin', 'done']) mkdirSync(join(dir, folder), { recursive: true });
    writeFileSync(join(dir, 'bin', 'work'), WORK, { mode: 0o755 });
  }

  get path(): string {
    return `${join(this.#dir, 'bin')}:/usr/bin:/bin`;
  }

  marks(): Mark[] {
    const path = join(this.#dir, 'marks');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    // The last one may be about to be written.
    return lines
      .slice(0, -1)
      .map((line) => Mark.parse(Object.fromEntries(line.split(' ').map((word, i) => [WORDS[i], word]))));
  }

  /** Steps of a run that are done on this host now. */
  done(run: string): ReadonlySet<string> {
    const names = readdirSync(join(this.#dir, 'done')).filter((name) => name.startsWith(`${run}.`));
    return new Set(names.map((name) => name.slice(run.length + 1)));
  }
}
