import { readFile } from 'node:fs/promises';
import type { LocalHost } from './local-host.ts';

/** Properties as `systemctl show` prints them. */
export type UnitProperties = Record<string, string | number>;

const STOPPED: UnitProperties = {
  LoadState: 'loaded',
  ActiveState: 'inactive',
  SubState: 'dead',
  UnitFileState: 'enabled',
  FragmentPath: '/lib/systemd/system/x.service',
  MainPID: 0,
  NRestarts: 0,
};

/** What a verb does, as shell lines; `put Key value` writes a property. `show` runs before each query. */
export type UnitHooks = Partial<Record<(typeof VERBS)[number], string>>;
const VERBS = ['show', 'start', 'stop', 'mask', 'unmask', 'enable', 'disable', 'reset-failed'] as const;

const HABITS: Required<UnitHooks> = {
  show: ':',
  start: 'put ActiveState active; put SubState running; put MainPID 4194304',
  stop: 'put ActiveState inactive; put SubState dead; put MainPID 0',
  mask: 'put LoadState masked; put UnitFileState masked-runtime',
  unmask: 'put LoadState loaded; put UnitFileState enabled',
  enable: 'put UnitFileState enabled',
  disable: 'put UnitFileState disabled',
  'reset-failed': 'put NRestarts 0; if grep -q ^ActiveState=failed "$unit"; then put ActiveState inactive; fi',
};

/**
 * A `systemctl` whose units are files that a test writes, and whose verbs do what the test says: the way to make systemd
 * lie, hang on to a process or restart one for ever, at the moment that a test needs it.
 */
export class StandInUnits {
  readonly #host: LocalHost;

  constructor(host: LocalHost) {
    this.#host = host;
  }

  async install(): Promise<this> {
    await this.#host.program(
      'systemctl',
      `verb=$1; for name; do :; done; unit="${this.#host.dir}/units/$name"
if [ ! -f "$unit" ]; then
  if [ "$verb" = show ]; then echo LoadState=not-found; echo ActiveState=inactive; exit 0; fi
  echo "Unit $name not found." >&2; exit 5
fi
put() { sed -i "s|^$1=.*|$1=$2|" "$unit"; }
[ "$verb" = show ] || echo "$verb" >> "$unit.verbs"
if [ -f "$unit.$verb" ]; then . "$unit.$verb"; fi
if [ "$verb" = show ]; then cat "$unit"; fi
exit 0`,
    );
    return this;
  }

  async add(name: string, properties: UnitProperties = {}, hooks: UnitHooks = {}): Promise<void> {
    const lines = Object.entries({ ...STOPPED, ...properties }).map(([key, value]) => `${key}=${value}\n`);
    await this.#host.write(`units/${name}`, lines.join(''));
    for (const [verb, body] of Object.entries({ ...HABITS, ...hooks })) {
      await this.#host.write(`units/${name}.${verb}`, `${body}\n`);
    }
  }

  async get(name: string, property: string): Promise<string | undefined> {
    const text = await readFile(this.#host.file('units', name), 'utf8');
    return new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1];
  }

  /** The verbs that changed a unit, in order. */
  async verbs(name: string): Promise<string[]> {
    const text = await readFile(this.#host.file('units', `${name}.verbs`), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  }
}
