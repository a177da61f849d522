import { SignalboxError } from '@signalbox/protocol';
import { sayTo } from '../lab/child.ts';
import type { Operator } from '../lab/operator.ts';
import { PROGRAMS } from '../lab/programs.ts';
import { choiceOf, personsCommandsOn, waitsForHost } from './held.ts';
import { pause } from './kept.ts';
import { APPROVAL, KINDS, type Kind } from './runbooks.ts';
import type { WorkHost } from './work.ts';

/** Runs that go on side by side. */
const AT_ONCE = 5;
const LOOK_MS = 400;
const ASK_MS = 4_000;
/** What nobody has to do anything about lifts itself; after this time somebody looks. */
const PATIENCE_MS = 5_000;
const ENDED = new Set(['completed', 'rolled-back', 'aborted']);

export interface TrafficOptions {
  readonly operator: Operator;
  /** For the CLI. */
  readonly operatorFile: string;
  readonly plans: ReadonlyMap<Kind, string>;
  readonly hosts: readonly WorkHost[];
}

/** Operators on a bad night: they keep runs going, approve, leave notes, and do what the screen of a held run says. */
export class Traffic {
  readonly #options: TrafficOptions;
  #stopping = false;
  #started = 0;
  #notes = 0;
  /** What was to be started: as many runs at most may have begun. */
  readonly asked = new Set<string>();
  /** Notes that were answered with yes, by run. */
  readonly promised = new Map<string, string[]>();
  /** What was done about held runs, as it was typed. */
  readonly typed: string[] = [];
  readonly #heldSince = new Map<string, number>();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Goes on until it is told to stop, and then until all runs have ended, at most `restMs`. @returns the ids of all runs. */
  async flow(restMs: number): Promise<string[]> {
    let deadline: number | undefined;
    for (;;) {
      const runs = await this.#look();
      const open = runs?.filter(({ status }) => !ENDED.has(status));
      if (this.#stopping) {
        deadline ??= performance.now() + restMs;
        if (runs && (open?.length === 0 || performance.now() > deadline)) return runs.map(({ run }) => run);
      }
      for (const { run, status, runbook } of open ?? []) await this.#attend(run, status, runbook);
      if (open && !this.#stopping && open.length < AT_ONCE) await this.#start();
      await pause(LOOK_MS);
    }
  }

  stop(): void {
    this.#stopping = true;
  }

  async #look() {
    const answer = await this.#try(() => this.#options.operator.ask('runs', {}, ASK_MS));
    return answer?.runs;
  }

  async #start(): Promise<void> {
    const kind = KINDS[this.#started % KINDS.length];
    const plan = kind && this.#options.plans.get(kind);
    if (plan === undefined) return;
    // Asked again with the same id until it is answered: that must not begin a second run.
    const start = `${kind}-${this.#started}`;
    this.asked.add(start);
    if (await this.#try(() => this.#options.operator.start(plan, start, ASK_MS))) this.#started += 1;
  }

  async #attend(run: string, status: string, runbook: string): Promise<void> {
    const { operator } = this.#options;
    if (runbook === 'gated') await this.#try(() => operator.approve(run, APPROVAL, 'go', ASK_MS));
    await this.#note(run);
    if (status !== 'held') return void this.#heldSince.delete(run);
    const since = this.#heldSince.get(run) ?? performance.now();
    this.#heldSince.set(run, since);
    if (performance.now() - since < PATIENCE_MS) return;
    this.#heldSince.delete(run);
    await this.#doWhatTheScreenSays(run);
  }

  async #note(run: string): Promise<void> {
    this.#notes += 1;
    if (this.#notes % 4 !== 0) return;
    const text = `seen, ${this.#notes}`;
    const noted = await this.#try(() => this.#options.operator.ask('note', { run, text }, ASK_MS));
    if (noted) this.promised.set(run, [...(this.promised.get(run) ?? []), text]);
  }

  async #doWhatTheScreenSays(run: string): Promise<void> {
    const { operator, hosts } = this.#options;
    const screen = await this.#signalbox(['status', run]);
    const entries = await this.#try(() => operator.log(run));
    if (screen.exitCode !== 0 || !entries || waitsForHost(screen.stdout)) return;
    const applied = (step: string, host: string) =>
      hosts
        .find(({ name }) => name === host)
        ?.done(run)
        .has(step) ?? false;
    const words = choiceOf(personsCommandsOn(screen.stdout), applied, entries);
    if (!words) return;
    const note = words[0] === 'resume' ? [] : ['--note', 'seen on the host'];
    const { exitCode } = await this.#signalbox([...words, ...note]);
    this.typed.push(`${words.join(' ')} (exit ${exitCode})`);
  }

  #signalbox(args: readonly string[]) {
    return sayTo([PROGRAMS.signalbox, '--config', this.#options.operatorFile, ...args]);
  }

  /** Undefined when it was refused or nobody answered: on such a night one asks again. */
  async #try<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SignalboxError) return undefined;
      throw error;
    }
  }
}
