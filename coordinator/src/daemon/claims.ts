import type { Lease } from '@signalbox/bus';
import { Actor, type Plan, RunId, SignalboxError } from '@signalbox/protocol';
import { decide, evolveEntry, initialState, type RunState, resourcesOf } from '@signalbox/sequencer';
import { z } from 'zod';
import { coordinatorError } from './codes.ts';
import { parseJson } from './parse-json.ts';
import type { Ports } from './ports.ts';
import { appendEntry, EMPTY_HEAD, type LoadedRun, parsePlan } from './run-log.ts';

/** One key for all claims: whoever takes several things takes all of them or none. */
const KIND = 'claims';
const NAME = 'claims';

/** A start that has claimed and not begun for so long is given up. Safety does not rest on it: the run's log decides. */
const GIVEN_UP_MS = 60_000;

const Claim = z.object({
  run: RunId,
  planHash: z.string(),
  by: Actor,
  resources: z.array(z.string()),
  atMs: z.int(),
});
type Claim = z.infer<typeof Claim>;
/** By start id: the run of a start may get another number before it is written. */
const Book = z.record(z.string(), Claim);
type Book = z.infer<typeof Book>;

export interface Claimant {
  readonly start: string;
  readonly run: string;
  readonly plan: Plan;
  readonly planHash: string;
  readonly by: Actor;
}

/**
 * Who has what, for runs that do not know of each other [I10]: a run claims everything that it touches before its first
 * entry is written, and has it until its log says that it is over. A claim never runs out; it is dropped when the log of its
 * run is closed, by that run's leader or by whoever meets it.
 */
export class Claims {
  readonly #ports: Ports;
  readonly #load: (run: string) => Promise<LoadedRun>;

  constructor(ports: Ports, load: (run: string) => Promise<LoadedRun>) {
    this.#ports = ports;
    this.#load = load;
  }

  /** All or nothing. @throws SB-COORD-BUSY naming who has what. */
  async take(claimant: Claimant): Promise<void> {
    const { start, run, plan, planHash, by } = claimant;
    const resources = resourcesOf(plan);
    if (resources.length === 0) return;
    for (;;) {
      const { book, lease } = await this.#read();
      const others = Object.entries(book).filter(([other]) => other !== start);
      const wanted = others.filter(([, claim]) => claim.resources.some((resource) => resources.includes(resource)));
      const over: string[] = [];
      for (const [other, claim] of wanted) {
        if (await this.#isOver(other, claim)) over.push(other);
        else throw busy(claim, resources);
      }
      const kept = Object.fromEntries(others.filter(([other]) => !over.includes(other)));
      const mine: Claim = { run, planHash, by, resources, atMs: this.#ports.clock.wallMs() };
      if (await this.#write(lease, { ...kept, [start]: mine })) return;
    }
  }

  /** The run is over. What this cannot write now is dropped by whoever wants the same next. */
  async release({ run, plan }: RunState): Promise<void> {
    if (resourcesOf(plan).length === 0) return;
    for (;;) {
      const { book, lease } = await this.#read();
      const kept = Object.entries(book).filter(([, claim]) => claim.run !== run);
      if (kept.length === Object.keys(book).length || (await this.#write(lease, Object.fromEntries(kept)))) return;
    }
  }

  /** The run's log says so; a start that never came to a log is given up in that log, so that it cannot begin any more. */
  async #isOver(start: string, claim: Claim): Promise<boolean> {
    const loaded = await this.#load(claim.run).catch((error: unknown) => {
      if (error instanceof SignalboxError && error.code === 'SB-COORD-NO-RUN') return undefined;
      throw error;
    });
    if (loaded !== undefined) return loaded.state.closed || startOf(loaded) !== start;
    if (this.#ports.clock.wallMs() - claim.atMs < GIVEN_UP_MS) return false;
    return await this.#giveUp(start, claim);
  }

  async #giveUp(start: string, { run, planHash, by }: Claim): Promise<boolean> {
    const { bus, clock, random } = this.#ports;
    const blob = await bus.getBlob(planHash);
    if (!blob) return false;
    const now = { atMs: clock.wallMs(), runMs: 0, random: random() };
    const planned = initialState(run, parsePlan(Buffer.from(blob).toString('utf8')));
    const created = decide(planned, { type: 'create', by, planHash, start }, now);
    const state: RunState = evolveEntry(planned, { ...now, events: created });
    const note = 'it was claimed for and never begun';
    const events = [...created, ...decide(state, { type: 'abort', mode: 'leave', by, note }, now)];
    try {
      await appendEntry(bus, EMPTY_HEAD, { run, epoch: 0, atMs: now.atMs, runMs: 0, events });
    } catch (error) {
      if (error instanceof SignalboxError && error.code === 'SB-COORD-DEPOSED') return false;
      throw error;
    }
    return true;
  }

  async #read(): Promise<{ book: Book; lease: Lease | undefined }> {
    const lease = await this.#ports.bus.readLease(KIND, NAME);
    if (!lease) return { book: {}, lease };
    const book = Book.safeParse(parseJson(lease.data));
    if (book.success) return { book: book.data, lease };
    throw coordinatorError('SB-COORD-CLAIMS', `the claims of runs cannot be read: ${book.error.issues[0]?.message}`);
  }

  async #write(lease: Lease | undefined, book: Book): Promise<boolean> {
    const data = Buffer.from(JSON.stringify(book));
    const next = { name: NAME, revision: lease?.revision ?? 0, data };
    return (await this.#ports.bus.writeLease(KIND, next)) !== 'conflict';
  }
}

function startOf({ entries }: LoadedRun): string | undefined {
  const first = entries[0]?.events[0];
  return first?.type === 'RunCreated' ? first.start : undefined;
}

function busy({ run, by, resources }: Claim, wanted: readonly string[]): SignalboxError {
  const shared = resources.filter((resource) => wanted.includes(resource));
  const message = `${run}, started by ${by.name}, has ${shared.join(', ')}`;
  return coordinatorError('SB-COORD-BUSY', message, { details: { run, resources: shared } });
}
