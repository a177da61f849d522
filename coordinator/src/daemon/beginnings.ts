import type { Lease } from '@signalbox/bus';
import { type Plan, SignalboxError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import { type Input, initialState } from '@signalbox/sequencer';
import type { Claims } from './claims.ts';
import { coordinatorError } from './codes.ts';
import type { Ports } from './ports.ts';
import { EMPTY_HEAD, type LoadedRun, parsePlan } from './run-log.ts';

export type Created = Omit<Extract<Input, { type: 'create' }>, 'type' | 'planHash'> & { readonly start: string };

export interface Begun {
  readonly run: string;
  readonly planHash: string;
}

export interface BeginningsOptions {
  readonly ports: Ports;
  readonly claims: Claims;
  readonly load: (run: string) => Promise<LoadedRun>;
  /** Writes the first entry of a run and leads it. @throws SB-COORD-DEPOSED when the log has a first entry already. */
  readonly lead: (loaded: LoadedRun, create: Input) => Promise<unknown>;
}

const KIND = 'start';

/**
 * Begins runs, each start once. A start id points to the run that it gets, by compare-and-set, before that run's first
 * entry is written, and the entry names the start: whoever asks again, or is asked by somebody who does not know that
 * another was asked too, comes to the same run [I8].
 */
export class Beginnings {
  readonly #options: BeginningsOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: BeginningsOptions) {
    this.#options = options;
  }

  /** The run of a start that has been made. @throws SB-COORD-START when that was another plan. */
  async begun(start: string, planText: string): Promise<Begun | undefined> {
    const pointer = await this.#options.ports.bus.readLease(KIND, start);
    const found = pointer && (await this.#follow(pointer, planText));
    return typeof found === 'object' ? found : undefined;
  }

  /** The first free number of the runbook makes the run's id. */
  begin(planText: string, created: Created): Promise<Begun> {
    // One after the other: two that look for a free number at once would find the same.
    const turn = this.#last.then(() => this.#begin(planText, created));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #begin(planText: string, created: Created): Promise<Begun> {
    const { ports, claims, lead } = this.#options;
    const plan = parsePlan(planText);
    const planHash = sha256(planText);
    await ports.bus.putBlob(planHash, Buffer.from(planText));
    passPoint('coordinator.plan.stored');
    for (;;) {
      const before = await ports.bus.readLease(KIND, created.start);
      const found = before && (await this.#follow(before, planText));
      if (typeof found === 'object') return found;
      const run = before && found === 'free' ? runOf(before) : await this.#point(created.start, before, plan);
      if (run === undefined) continue;
      await claims.take({ start: created.start, run, plan, planHash, by: created.by });
      try {
        const loaded = { state: initialState(run, plan), head: EMPTY_HEAD, entries: [], planText, heads: new Map() };
        await lead(loaded, { type: 'create', planHash, ...created });
        return { run, planHash };
      } catch (error) {
        // Somebody else was first with this run: the same start, then it is found; or another one, then a number is free.
        if (!(error instanceof SignalboxError) || error.code !== 'SB-COORD-DEPOSED') throw error;
      }
    }
  }

  /** What is where a start points to: its run; nothing yet; or the run of another start, which took the number first. */
  async #follow(pointer: Lease, planText: string): Promise<Begun | 'free' | 'taken'> {
    const run = runOf(pointer);
    const loaded = await this.#options.load(run).catch((error: unknown) => {
      if (error instanceof SignalboxError && error.code === 'SB-COORD-NO-RUN') return undefined;
      throw error;
    });
    if (loaded === undefined) return 'free';
    const first = loaded.entries[0]?.events[0];
    if (first?.type !== 'RunCreated' || first.start !== pointer.name) return 'taken';
    if (first.planHash === sha256(planText)) return { run, planHash: first.planHash };
    throw coordinatorError('SB-COORD-START', `${pointer.name} has begun ${run}, of another plan`);
  }

  /** Points the start to a run that nobody has begun; undefined when somebody else has just pointed it elsewhere. */
  async #point(start: string, before: Lease | undefined, { runbook }: Plan): Promise<string | undefined> {
    const { bus } = this.#options.ports;
    const taken = new Set(await bus.listRuns());
    let number = 1;
    while (taken.has(`${runbook.name}-${number}`)) number += 1;
    const run = `${runbook.name}-${number}`;
    const lease = { name: start, revision: before?.revision ?? 0, data: Buffer.from(run) };
    return (await bus.writeLease(KIND, lease)) === 'conflict' ? undefined : run;
  }
}

function runOf({ data }: Lease): string {
  return Buffer.from(data).toString();
}
