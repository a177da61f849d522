import type { MeshClient } from './client.ts';
import type { Io } from './io.ts';
import { keyInHand } from './locked-key.ts';
import { makePaint, type Paint, paintLine, wantsColour } from './paint.ts';
import { type LoadedSettings, readSettings } from './settings.ts';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly mesh?: string;
  readonly config?: string;
}

/** What every command is given. The mesh is reached only by those that ask for it. */
export class Cli {
  readonly io: Io;
  readonly json: boolean;
  readonly paint: Paint;
  readonly globals: GlobalOptions;
  #settings: LoadedSettings | undefined;
  #client: Promise<MeshClient> | undefined;

  constructor(io: Io, globals: GlobalOptions) {
    this.io = io;
    this.json = globals.json === true;
    this.paint = makePaint(wantsColour(io.env, io.isTerminal) && !this.json);
    this.globals = globals;
  }

  get settings(): LoadedSettings {
    const { config, mesh } = this.globals;
    this.#settings ??= readSettings({ config, mesh, env: this.io.env, cwd: this.io.cwd });
    return this.#settings;
  }

  /** One connection a command; closed when the command has ended. */
  async mesh(): Promise<MeshClient> {
    this.#client ??= this.#connect();
    return await this.#client;
  }

  async #connect(): Promise<MeshClient> {
    const { settings, io } = this;
    const key = await keyInHand(settings.key, io);
    const { connectMesh } = await import('./client.ts');
    return await connectMesh({ ...settings, key });
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  /** Lines of a screen, painted where there is colour. */
  print(...lines: readonly string[]): void {
    for (const line of lines) this.io.out(`${paintLine(line, this.paint)}\n`);
  }

  printJson(value: unknown): void {
    this.io.out(`${JSON.stringify(value)}\n`);
  }

  /** The text, or with --json the same as data: a command says both in one place. */
  show(value: unknown, lines: () => readonly string[]): void {
    if (this.json) this.printJson(value);
    else this.print(...lines());
  }
}
