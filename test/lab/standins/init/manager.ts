import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { HostPaths } from '../../paths.ts';
import { parseSystemctl, type SystemctlCall } from './arguments.ts';
import { disable, enable, type Installation, mask, unmask } from './install.ts';
import { complained, type Printed, printed } from './printed.ts';
import { show, status } from './show.ts';
import { SupervisedUnit } from './supervised-unit.ts';
import { loadUnitFile } from './unit-file.ts';

/** systemctl(1), "Exit status", and what LSB says of a program that is not running. */
const NOT_RUNNING = 3;
const NO_SUCH_UNIT = 4;
const NOT_INSTALLED = 5;

const SHUTDOWN_TIMEOUT_MS = 2_000;

type Verb = (call: SystemctlCall) => Promise<Printed> | Printed;

/** Owns the units of one host and answers `systemctl`, with the words and exit codes of systemd 252. */
export class Manager {
  readonly #paths: HostPaths;
  readonly #units = new Map<string, SupervisedUnit>();
  readonly #verbs: Record<string, Verb>;

  constructor(paths: HostPaths) {
    this.#paths = paths;
    this.#verbs = {
      start: (call) => this.#each(call, (unit) => this.#start(unit)),
      stop: (call) => this.#each(call, (unit) => this.#stop(unit)),
      restart: (call) => this.#each(call, (unit) => this.#restart(unit)),
      kill: (call) => this.#each(call, (unit) => this.#signal(unit, call)),
      'reset-failed': (call) => this.#each(call, (unit) => this.#resetFailed(unit)),
      show: (call) =>
        printed(call.units.map((name) => show(this.unit(name), { ...call, names: call.properties })).join('\n')),
      status: (call) => this.#status(call),
      cat: (call) => this.#cat(call),
      'is-active': (call) => this.#is(call, 'active'),
      'is-failed': (call) => this.#is(call, 'failed'),
      'is-enabled': (call) => this.#isEnabled(call),
      'is-system-running': () => printed('running\n'),
      'daemon-reload': () => this.#reload(),
      mask: (call) => this.#install(call, mask),
      unmask: (call) => this.#install(call, unmask),
      enable: (call) => this.#install(call, enable),
      disable: (call) => this.#install(call, disable),
      '--version': () => printed('systemd 252 (252.39-1~deb12u1)\n'),
    };
  }

  /** Starts what is enabled, as a boot does. */
  boot(): void {
    if (!existsSync(this.#paths.wants)) return;
    for (const name of readdirSync(this.#paths.wants).sort()) this.#start(this.unit(name));
  }

  /** Quicker than a real shutdown, which would wait out each unit's own timeout. */
  async shutDown(): Promise<void> {
    await Promise.all([...this.#units.values()].map((unit) => unit.stop(SHUTDOWN_TIMEOUT_MS)));
  }

  async systemctl(argv: readonly string[]): Promise<Printed> {
    const call = parseSystemctl(argv);
    if ('unknown' in call) return complained(`systemctl: unrecognized option '${call.unknown}'`, 1);
    const verb = this.#verbs[call.verb];
    if (verb === undefined) return complained(`Unknown command verb ${call.verb}.`, 1);
    return await verb(call);
  }

  /** Loaded on first sight and kept until `daemon-reload`: a unit file that was changed has no effect before. */
  unit(name: string): SupervisedUnit {
    const known = this.#units.get(name);
    if (known) return known;
    const unit = new SupervisedUnit(this.#paths, loadUnitFile(this.#paths, name));
    this.#units.set(name, unit);
    return unit;
  }

  async #each({ units }: SystemctlCall, act: (unit: SupervisedUnit) => Promise<Printed> | Printed): Promise<Printed> {
    const results = await Promise.all(units.map((name) => act(this.unit(name))));
    return {
      stdout: results.map(({ stdout }) => stdout).join(''),
      stderr: results.map(({ stderr }) => stderr).join(''),
      exitCode: results.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0,
    };
  }

  #start(unit: SupervisedUnit): Printed {
    const { name, loadState } = unit.file;
    if (loadState === 'masked') return complained(`Failed to start ${name}: Unit ${name} is masked.`, 1);
    if (loadState === 'not-found') return complained(`Failed to start ${name}: Unit ${name} not found.`, NOT_INSTALLED);
    unit.start();
    return printed();
  }

  async #stop(unit: SupervisedUnit): Promise<Printed> {
    const { name, loadState } = unit.file;
    if (loadState === 'not-found') return complained(`Failed to stop ${name}: Unit ${name} not loaded.`, NOT_INSTALLED);
    await unit.stop();
    return printed();
  }

  async #restart(unit: SupervisedUnit): Promise<Printed> {
    if (unit.file.loadState === 'loaded') await unit.stop();
    return this.#start(unit);
  }

  #signal(unit: SupervisedUnit, { signal }: SystemctlCall): Printed {
    unit.signal(signal);
    return printed();
  }

  #resetFailed(unit: SupervisedUnit): Printed {
    unit.resetFailed();
    return printed();
  }

  #status({ units }: SystemctlCall): Printed {
    const [name = ''] = units;
    const unit = this.unit(name);
    if (unit.file.loadState === 'not-found') return complained(`Unit ${name} could not be found.`, NO_SUCH_UNIT);
    return printed(status(unit), unit.state.active === 'active' ? 0 : NOT_RUNNING);
  }

  #cat({ units }: SystemctlCall): Printed {
    const parts: string[] = [];
    for (const name of units) {
      const { fragmentPath, dropInPaths, loadState } = this.unit(name).file;
      if (loadState === 'not-found') return complained(`No files found for ${name}.`, 1);
      for (const path of [fragmentPath, ...dropInPaths]) parts.push(`# ${path}\n${readFileSync(path, 'utf8')}`);
    }
    return printed(parts.join('\n'));
  }

  #is({ units, quiet }: SystemctlCall, wanted: 'active' | 'failed'): Printed {
    const states = units.map((name) => this.unit(name).state.active);
    const met = wanted === 'active' ? states.every((s) => s === wanted) : states.some((s) => s === wanted);
    return printed(quiet ? '' : states.map((state) => `${state}\n`).join(''), met ? 0 : NOT_RUNNING);
  }

  #isEnabled({ units, quiet }: SystemctlCall): Printed {
    const [name = ''] = units;
    const { unitFileState } = this.unit(name).file;
    if (unitFileState === '')
      return complained(`Failed to get unit file state for ${name}: No such file or directory`, 1);
    return printed(quiet ? '' : `${unitFileState}\n`, unitFileState === 'enabled' ? 0 : 1);
  }

  /** Changes links, takes them in at once (systemctl reloads by itself here), and with `--now` starts or stops as well. */
  async #install(call: SystemctlCall, change: Installation): Promise<Printed> {
    const files = call.units.map((name) => this.unit(name).file);
    const done = change(this.#paths, files, call);
    this.#reload();
    if (done.exitCode !== 0 || !call.now) return done;
    for (const name of call.units) {
      if (change === enable) this.#start(this.unit(name));
      else await this.unit(name).stop();
    }
    return done;
  }

  #reload(): Printed {
    for (const [name, unit] of this.#units) unit.file = loadUnitFile(this.#paths, name);
    return printed();
  }
}
