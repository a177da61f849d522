import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Janitor } from '../lab/janitor.ts';
import { REPOSITORY } from '../lab/programs.ts';
import type { Figures } from './figures.ts';
import { spawnNight } from './isolation.ts';
import type { NightOptions } from './night.ts';
import type { Options } from './options.ts';

/** A mesh lives for so many kills: the logs of a night that went wrong can still be read. */
const KILLS_A_NIGHT = 50;
const PROGRAM = join(REPOSITORY, 'test', 'dist', 'chaos', 'night-main.js');

export interface CampaignOptions extends Options {
  readonly dir: string;
  readonly isolated: boolean;
}

/** As many nights as the kills want, each in a process and namespaces of its own. @throws Error when one broke off. */
export async function campaign(options: CampaignOptions, janitor: Janitor): Promise<Figures> {
  const nights = nightsOf(options);
  const figures: Figures[] = [];
  const worker = async () => {
    for (let night = nights.shift(); night; night = nights.shift()) figures.push(await spend(night, janitor));
  };
  await Promise.all(Array.from({ length: options.atOnce }, worker));
  return {
    struck: figures.flatMap(({ struck }) => struck),
    runs: figures.flatMap(({ runs }) => runs),
    violations: figures.flatMap(({ violations }) => violations),
    typed: figures.flatMap(({ typed }) => typed),
    exits: figures.flatMap(({ exits }) => exits),
  };
}

function nightsOf({ kills, seed, dir, isolated, points, plant }: CampaignOptions): NightOptions[] {
  const count = Math.ceil(kills / KILLS_A_NIGHT);
  return Array.from({ length: count }, (_, number) => ({
    dir: join(dir, `night-${number}`),
    seed: seed + number,
    kills: Math.min(KILLS_A_NIGHT, kills - number * KILLS_A_NIGHT),
    isolated,
    smallNats: number % 2 === 1,
    ...(points === undefined ? {} : { points }),
    ...(plant === undefined ? {} : { plant }),
  }));
}

async function spend(night: NightOptions, janitor: Janitor): Promise<Figures> {
  mkdirSync(night.dir, { recursive: true });
  const [wanted, found] = [join(night.dir, 'night.json'), join(night.dir, 'figures.json')];
  writeFileSync(wanted, JSON.stringify(night));
  const child = spawnNight([process.execPath, PROGRAM, wanted, found], night.isolated);
  janitor.adopt(`night of seed ${night.seed}`, child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the night of seed ${night.seed} broke off (exit ${code}); what it said is above`);
  return JSON.parse(readFileSync(found, 'utf8'));
}
