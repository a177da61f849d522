import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '@signalbox/protocol';
import type { Janitor } from '../../lab/janitor.ts';
import { Cells, type Kill } from './cells.ts';
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

/** What is left of a stage. */
interface Todo {
  readonly places: readonly Place[];
  readonly cells: Cells;
  /** Whether nobody has been left in peace yet. */
  undisturbed: boolean;
  pass: number;
}

/** A run that is to be played. */
interface Turn {
  readonly steps: readonly string[];
  readonly hostOf: (step: string) => string;
  readonly take: (step: string) => string | undefined;
  /** Grows by who was killed. */
  readonly killed: Kill[];
}

type Played = Omit<Row, 'stage' | 'killed' | 'seconds'>;

const NOBODY = 'nobody';

/** Plays runs one after the other, in as many worlds at once as there are lanes. */
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
    const todo = await this.#todo(name, first.stage);
    this.#options.say(`${name}: ${todo.cells.left.length} kills to play`);
    const lanes = Array.from({ length: this.#options.lanes }, (_, i) =>
      this.#lane(name, { todo, given: i === 0 ? first : undefined }),
    );
    await Promise.all(lanes);
    await first.end();
    for (const { step, victim } of todo.cells.left) this.#options.say(`${name}: no run came to ${step} for ${victim}`);
  }

  async #lane(name: StageName, { todo, given }: { todo: Todo; given: Kept | undefined }): Promise<void> {
    let world = given;
    let isFresh = given !== undefined;
    for (let turn = nextOf(todo); turn; turn = nextOf(todo)) {
      const startedMs = performance.now();
      let played: Played;
      try {
        world ??= await this.#start(name);
        if (!isFresh) await world.stage.startOver();
        isFresh = false;
        played = await this.#playRun(world.stage, turn);
      } catch (error) {
        // What this world is in now nobody knows; the next run gets another one.
        played = brokenBy(error);
        await world?.end();
        world = undefined;
      }
      const { killed, steps } = turn;
      const row = { stage: name, ...played, seconds: Math.round((performance.now() - startedMs) / 1_000), killed };
      this.#options.rows.push(row);
      this.#options.tell(row);
      // Whatever keeps a run from its first kill keeps the next one as well.
      if (steps.length > 0 && killed.length === 0) break;
    }
    await world?.end();
  }

  async #playRun(stage: Stage, { steps, hostOf, take, killed }: Turn): Promise<Played> {
    const { world, patienceMs } = stage;
    const run = await world.beginOther(...stage.words);
    const strike = async (step: string) => {
      const victim = take(step);
      if (victim === undefined) return;
      killed.push({ step, victim });
      this.#options.say(`${new Date().toISOString()} ${run}: ${victim} is killed at ${step}`);
      await stage.strike(victim, { step, host: hostOf(step) });
    };
    try {
      const ending = await conduct(world, run, { at: steps, strike, patienceMs });
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

  async #todo(name: StageName, stage: Stage): Promise<Todo> {
    const { rows, step: steps, victim: victims } = this.#options;
    const places = await placesOf(stage);
    const all = places.map(({ step }) => step);
    const choices = places.map((place) => ({ step: place.step, victims: stage.victimsAt(place, all) }));
    const cells = new Cells(choices, (kill) => {
      if (has(rows, name, kill)) return false;
      return (steps?.includes(kill.step) ?? true) && (victims?.includes(kill.victim) ?? true);
    });
    const own = rows.filter((row) => row.stage === name);
    const pass = own.filter(({ killed }) => killed.length > 0).length;
    const undisturbed = steps === undefined && (victims?.includes(NOBODY) ?? true) && own.length === pass;
    return { places, cells, undisturbed, pass };
  }
}

/** Nobody is killed in the first run; in each of the others somebody at every step, while there is somebody left. */
function nextOf(todo: Todo): Turn | undefined {
  const { places, cells } = todo;
  const hostOf = (at: string) => places.find(({ step }) => step === at)?.host ?? '';
  if (todo.undisturbed) {
    todo.undisturbed = false;
    return { steps: [], hostOf, take: () => undefined, killed: [] };
  }
  const { steps } = cells;
  if (steps.length === 0) return undefined;
  const pass = todo.pass++;
  return { steps, hostOf, take: (step) => cells.take(step, pass), killed: [] };
}

function brokenBy(error: unknown): Played {
  const why = error instanceof Error ? error.message : String(error);
  const outcome = `broken: ${why.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  return { outcome, held: [], written: 0, lost: 0, duplicated: 0, accepted: 0 };
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
  const note = 'the run is over';
  await world.operator.ask('abort', { run, mode: crossed ? 'leave' : 'undo', note });
  await world.event(run, 'Ended');
}
