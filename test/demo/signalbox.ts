import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { LogEntry } from '@signalbox/protocol';
import { PROGRAMS } from '../lab/programs.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** The CLI as an operator types it, with the demo's configuration. */
export class Signalbox {
  readonly configFile: string;
  /** Whatever is under way is ended with the demo. */
  readonly #adopt: (child: ChildProcess) => void;

  constructor(configFile: string, adopt: (child: ChildProcess) => void) {
    this.configFile = configFile;
    this.#adopt = adopt;
  }

  /** @returns what it printed. @throws Error with the CLI's own words when it exits with anything but 0. */
  run(args: readonly string[]): Promise<string> {
    const argv = [PROGRAMS.signalbox, '--config', this.configFile, ...args];
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, stdout: string, stderr: string) => {
        if (error) reject(new Error(`signalbox ${args.join(' ')}: ${stderr.trim() || stdout.trim() || error.message}`));
        else resolve(stdout);
      };
      this.#adopt(execFile(process.execPath, argv, { maxBuffer: MAX_OUTPUT_BYTES }, done));
    });
  }

  async json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.run([...args, '--json']));
  }

  /** The run's log, entry by entry, until the run has ended or the CLI gives up. @returns its exit code. */
  async follow(run: string, onEntry: (entry: LogEntry) => void): Promise<number> {
    const argv = [PROGRAMS.signalbox, '--config', this.configFile, 'events', run, '--json', '--follow'];
    const child = spawn(process.execPath, argv, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#adopt(child);
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('{')) onEntry(LogEntry.parse(JSON.parse(line)));
    }
    const [code] = await exited;
    return Number(code);
  }
}
