// npm run lab:matrix [-- --runbook NAME --blow NAME --step ID --out FILE]
// A run of a runbook for each of its steps on each of its hosts and each blow, on a lab of its own, in a table that is written
// as it grows. With a file that has rows already it goes on behind them.
import { inspect } from 'node:util';
import { Command, Option } from 'commander';
import { Janitor } from '../janitor.ts';
import { packaged } from './chain.ts';
import { KeptState } from './kept-state.ts';
import { Lab } from './lab.ts';
import { LabRun } from './lab-run.ts';
import { BLOWS, type Blow, type Cell, type Place, pathOf, play } from './matrix.ts';
import { isBroken, MatrixTable } from './matrix-table.ts';
import { willing } from './people.ts';
import { runbookOf, type Scene } from './scene.ts';
import { SCENES } from './scenes.ts';

const NAMES = SCENES.map(({ name }) => name);
const wishes = new Command('npm run lab:matrix --')
  .description('Plays runbooks with a blow to a host at each step, on a lab that is made for it; as root.')
  .addOption(new Option('--runbook <name...>').choices(NAMES).default(NAMES))
  .addOption(new Option('--blow <name...>').choices(BLOWS).default([...BLOWS]))
  .option('--step <id...>', 'only at these steps')
  .option('--out <file>', 'the table, as Markdown; cells that have a row in it are not played again')
  .option('--lab <name>', 'on a lab that `up --platform` made, which is left up')
  .parse()
  .opts<{ runbook: string[]; blow: Blow[]; step?: string[]; out?: string; lab?: string }>();
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Steps and their hosts, in the order in which a run without trouble comes to them. */
async function places(lab: Lab, scene: Scene): Promise<Place[]> {
  const run = await LabRun.start(lab, packaged(runbookOf(scene)), await scene.params(lab), willing(lab, scene.hands));
  try {
    const outcome = await run.ended();
    if (outcome !== 'completed') throw new Error(`${run.id} without any blow is ${outcome}`);
  } finally {
    await run[Symbol.asyncDispose]();
  }
  const found = new Map<string, Place>();
  for (const event of run.events) {
    if (event.type !== 'StepStarted' || event.host === null) continue;
    const place = { step: pathOf(event.step), host: event.host };
    found.set(`${place.step} ${place.host}`, place);
  }
  return [...found.values()].filter(({ step }) => wishes.step?.includes(step) ?? true);
}

async function playAll(lab: Lab, table: MatrixTable): Promise<void> {
  for (const scene of SCENES.filter(({ name }) => wishes.runbook.includes(name))) {
    const kept = await KeptState.of(lab, scene.hosts);
    const begin = async () => {
      await kept.restore();
      await scene.prepare?.(lab);
    };
    await scene.prepare?.(lab);
    const cells = (await places(lab, scene)).flatMap((place) =>
      wishes.blow.map((blow): Cell => ({ scene, ...place, blow })),
    );
    let asKept = false;
    for (const cell of cells.filter((cell) => !table.has(cell))) {
      if (!asKept) await begin();
      const verdict = await play(lab, cell);
      table.add(cell, verdict);
      if (isBroken(verdict)) process.exitCode = 1;
      asKept = verdict.outcome === 'rolled-back' && verdict.changes.length === 0;
    }
    await kept.restore();
  }
}

const janitor = new Janitor();
// Also an interrupted one leaves no lab.
janitor.onSignals(() => say('ending'));

async function ownLab(): Promise<Lab> {
  const name = `m${process.pid}`;
  janitor.add('the lab', () => Lab.remove(name));
  return await Lab.up({ name, say, platform: true });
}

try {
  const lab = wishes.lab === undefined ? await ownLab() : Lab.attach(wishes.lab);
  if (lab?.hasPlatform !== true) throw new Error(`no lab ${wishes.lab} with a platform is up`);
  await playAll(lab, new MatrixTable(wishes.out));
} catch (error) {
  // Said before the lab is taken down, which may fail as well.
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 1;
} finally {
  await janitor.sweep();
}
