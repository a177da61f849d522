// `npm run chaos -- --kills N`: kills real programs while they work, and counts what became of the work.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { POINTS, type Point } from '@signalbox/protocol/points';
import { Janitor } from '../lab/janitor.ts';
import { type Figures, isKill, report, waitsOf } from './figures.ts';
import { cannotIsolate, spawnIsolated } from './isolation.ts';
import { type NightOptions, night } from './night.ts';
import { furnishNamespaces } from './yard.ts';

/** A mesh lives for so many kills: the logs of a night that went wrong can still be read. */
const KILLS_A_NIGHT = 50;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string' },
    /** Kills at these points and nothing else. */
    points: { type: 'string' },
    json: { type: 'boolean', default: false },
    /** A module that is loaded into each agent: a mistake that the checks must find. */
    plant: { type: 'string' },
    /** Leave the files of the last night where they are. */
    keep: { type: 'boolean', default: false },
    /** Of the process inside the namespaces: where its files go. */
    inside: { type: 'string' },
  },
});

async function campaign(dir: string, isolated: boolean): Promise<Figures> {
  const kills = Number(values.kills);
  const seed = Number(values.seed);
  const nights: Figures[] = [];
  for (let done = 0; done < kills; done += KILLS_A_NIGHT) {
    const number = nights.length;
    const janitor = new Janitor();
    janitor.onSignals();
    const folder = join(dir, `night-${number}`);
    try {
      const options = { dir: folder, seed: seed + number, kills: Math.min(KILLS_A_NIGHT, kills - done), isolated, say };
      nights.push(await night({ ...options, smallNats: number % 2 === 1, ...wished() }, janitor));
    } finally {
      await janitor.sweep();
      if (!values.keep) rmSync(folder, { recursive: true, force: true });
    }
  }
  return {
    struck: nights.flatMap(({ struck }) => struck),
    runs: nights.flatMap(({ runs }) => runs),
    violations: nights.flatMap(({ violations }) => violations),
    typed: nights.flatMap(({ typed }) => typed),
    exits: nights.flatMap(({ exits }) => exits),
  };
}

function wished(): Pick<NightOptions, 'plant' | 'points'> {
  const { plant, points } = values;
  const known = (point: string): point is Point => point in POINTS;
  const named = points?.split(',');
  if (named && !named.every(known)) throw new Error(`--points wants some of: ${Object.keys(POINTS).join(', ')}`);
  return { ...(plant === undefined ? {} : { plant }), ...(named === undefined ? {} : { points: named.filter(known) }) };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function inside(dir: string, isolated: boolean): Promise<number> {
  if (isolated) furnishNamespaces();
  const figures = await campaign(dir, isolated);
  const { violations } = figures;
  if (values.json) process.stdout.write(`${JSON.stringify(summary(dir, figures))}\n`);
  else process.stdout.write(`${report(figures).join('\n')}\n`);
  return violations.length === 0 ? 0 : 1;
}

function summary(dir: string, { struck, runs, violations }: Figures) {
  const waits = waitsOf(struck, runs);
  const resumed = { medianMs: waits[Math.floor(waits.length / 2)], worstMs: waits.at(-1) };
  return {
    dir,
    seed: Number(values.seed),
    kills: struck.filter(isKill).length,
    runs: runs.length,
    violations,
    resumed,
  };
}

/** Makes the folder and the namespaces, and takes them away whatever happens inside. */
async function outside(): Promise<number> {
  values.seed ??= String(Math.floor(Math.random() * 1_000_000));
  const again = `npm run chaos -- --kills ${values.kills} --seed ${values.seed}`;
  say(`seed ${values.seed}; the same strikes again: ${again}`);
  const janitor = new Janitor();
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-chaos-'));
  janitor.add('folder', async () => {
    if (values.keep) say(`kept: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  });
  janitor.onSignals();
  try {
    const why = cannotIsolate();
    if (why !== undefined) {
      say(`no disk is filled and no link is cut, this machine gives no namespaces: ${why}`);
      return await inside(dir, false);
    }
    const args = Object.entries({ ...values, inside: dir }).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : value === false || value === undefined ? [] : [`--${name}`, value],
    );
    const child = spawnIsolated([process.execPath, fileURLToPath(import.meta.url), ...args]);
    janitor.adopt('the campaign', child);
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    await janitor.sweep();
  }
}

process.exitCode = await (values.inside === undefined ? outside() : inside(values.inside, true));
