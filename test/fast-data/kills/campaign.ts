import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '@signalbox/protocol';
import type { Janitor } from '../../lab/janitor.ts';
import { conduct, type Ending, leavesOf } from './conduct.ts';
import { type Place, type Stage, stepOf } from './stage.ts';
import { STAGES, type StageName } from './stages.ts';
import { has, type Row } from './table.ts';

export interface CampaignOptions {
  readonly victim?: readonly string[];
  readonly step?: readonly string[];
  readonly lanes: number;
  /** Grows by what is played. */
  readonly rows: Row[];
  readonly say: (line: string) => void;
  readonly tell: (row: Row) => void;
}

interface Kept {
  readonly stage: Stage;
  readonly end: () => Promise<void>;
}

type Cell = Place & { readonly victim: string };

type Played = Omit<Row, 'stage' | 'step' | 'victim' | 'seconds'>;

const NOBODY = 'nobody';

/** Plays cells one after the other, in as many worlds at once as there are lanes. */
export class Campaign {
  readonly #options: CampaignOptions;
  readonly #janitor: Janitor;

  constructor(options: CampaignOptions, janitor: Janitor) {
    this.#options = options;
    this.#janitor = janitor;
  }

  async #start(name: StageName): Promise<Kept> {
    const stage = await STAGES[name]();
    return { stage, end: this.#janitor.add(name, () => stage.end()) };
  }

  async play(name: StageName): Promise<void> {
    const first = await this.#start(name);
    await first.stage.startOver();
    const todo = (await this.#cells(first.stage)).filter((cell) => this.#isWanted(name, cell));
    this.#options.say(`${name}: ${todo.length} cells to play`);
    const lanes = Math.min(this.#options.lanes, todo.length);
    await Promise.all(
      Array.from({ length: lanes }, (_, i) => this.#lane(name, { todo, given: i === 0 ? first : undefined })),
    );
    await first.end();
  }

  async #lane(name: StageName, { todo, given }: { todo: Cell[]; given: Kept | undefined }): Promise<void> {
    let world = given;
    for (let cell = todo.shift(); cell; cell = todo.shift()) {
      const startedMs = performance.now();
      let played: Played;
      try {
        world ??= await this.#start(name);
        await world.stage.startOver();
        played = await this.#playCell(world.stage, cell);
      } catch (error) {
        // What this world is in now nobody knows; the next cell gets another one.
        const why = error instanceof Error ? error.message : String(error);
        played = {
          outcome: `broken: ${why.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
          held: [],
          written: 0,
          lost: 0,
          duplicated: 0,
        };
        await world?.end();
        world = undefined;
      }
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const row = { stage: name, step: cell.step, victim: cell.victim, ...played, seconds };
      this.#options.rows.push(row);
      this.#options.tell(row);
    }
    await world?.end();
  }

  async #playCell(stage: Stage, cell: Cell): Promise<Played> {
    const { world } = stage;
    const run = await world.beginOther(...stage.words);
    const at = cell.victim === NOBODY ? undefined : cell.step;
    try {
      const ending = await conduct(world, run, {
        at,
        strike: () => stage.strike(cell.victim, cell),
        patienceMs: stage.patienceMs,
      });
      const { outcome, held, crossed } = ending;
      if (!['completed', 'rolled-back'].includes(outcome)) await leave(stage, run, ending);
      const counted = await stage.settle(outcome === 'completed' || crossed ? 'destination' : 'source');
      if (outcome !== 'completed' || held.length > 0) await this.#tellStory(stage, run);
      return { outcome, held, ...counted };
    } catch (error) {
      await this.#tellStory(stage, run);
      throw error;
    }
  }

  /** What somebody reads who wants to know why. */
  async #tellStory({ world }: Stage, run: string): Promise<void> {
    const { stdout } = await world.signalbox(['events', run]);
    this.#options.say(stdout);
  }

  /** Without any kill first, then step by step. */
  async #cells(stage: Stage): Promise<Cell[]> {
    const places = await placesOf(stage);
    const steps = places.map(({ step }) => step);
    const cells = places.flatMap((place, i) => {
      const victims = stage.victimsAt(place, steps);
      return victims.map((_, pass) => ({ pass, ...place, victim: victims[(i + pass) % victims.length] ?? '' }));
    });
    // A campaign that is ended early has been at every step, and has met everybody.
    return [{ step: '-', host: '', victim: NOBODY }, ...cells.sort((a, b) => a.pass - b.pass)];
  }

  #isWanted(stage: StageName, { step, victim }: Cell): boolean {
    const { rows, step: steps, victim: victims } = this.#options;
    if (has(rows, { stage, step, victim })) return false;
    return (steps?.includes(step) ?? true) && (victims?.includes(victim) ?? true);
  }
}

/** Steps of the plan and who does them, in order. A step without a host has the first one's agent killed. */
async function placesOf({ world, words }: Stage): Promise<Place[]> {
  const file = join(world.dir, 'cells.plan');
  const said = await world.signalbox(['plan', ...words, '--out', file]);
  if (said.exitCode !== 0) throw new Error(`plan exited with ${said.exitCode}: ${said.stdout}${said.stderr}`);
  const plan: Plan = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  const [anybody = ''] = plan.hosts.map(({ name }) => name);
  const places = leavesOf(plan.steps).flatMap((leaf) => {
    if (leaf.only !== undefined || leaf.skip !== undefined) return [];
    const host = 'targets' in leaf ? leaf.targets[0]?.host : undefined;
    return [{ step: stepOf(leaf.id), host: host ?? anybody }];
  });
  return places.filter(({ step }, i) => places.findIndex((other) => other.step === step) === i);
}

/** Who is asked again and again takes everything back while that can be; what has crossed stays as it is. */
async function leave({ world }: Stage, run: string, { crossed }: Ending): Promise<void> {
  const note = 'the cell is over';
  await world.operator.ask('abort', { run, mode: crossed ? 'leave' : 'undo', note });
  await world.event(run, 'Ended');
}
