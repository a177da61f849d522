import { parseArgs } from 'node:util';
import { POINTS, type Point } from '@signalbox/protocol/points';

export interface Options {
  readonly kills: number;
  readonly seed: number;
  /** Nights at the same time, each in a world of its own. One night leaves most of a core idle. */
  readonly atOnce: number;
  /** One line of JSON at the end, in place of the tables. */
  readonly json: boolean;
  /** Leave all files where they are. */
  readonly keep: boolean;
  /** Kills at these points and nothing else. */
  readonly points?: readonly Point[];
  /** A module that is loaded into each agent first: a mistake, for the checks to find. */
  readonly plant?: string;
}

/** @throws Error that says what is wrong with the command line. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      'at-once': { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      points: { type: 'string' },
      plant: { type: 'string' },
    },
  });
  const { json, keep, points, plant } = values;
  return {
    ...{ json, keep },
    kills: whole('kills', values.kills),
    seed: whole('seed', values.seed),
    atOnce: whole('at-once', values['at-once']),
    ...(points === undefined ? {} : { points: points.split(',').map(pointOf) }),
    ...(plant === undefined ? {} : { plant }),
  };
}

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} wants a whole number, not ${text}`);
}

function pointOf(name: string): Point {
  const known = Object.keys(POINTS);
  if (isPoint(name)) return name;
  throw new Error(`there is no point ${name}; there are ${known.join(', ')}`);
}

const isPoint = (name: string): name is Point => Object.hasOwn(POINTS, name);
