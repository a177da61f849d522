import { MongoConnection } from '@signalbox/protocol/mongodb';
import type { MongoClient } from 'mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';

const With = z.strictObject({
  left: MongoConnection.describe('The source.'),
  right: MongoConnection.describe('The destination.'),
  tool: z.enum(['mongomirror', 'mongosync']).describe('What carries the data.'),
});

/** What a set says of itself. */
export interface Version {
  version: string;
  featureVersion: string;
}

/** Servers that a tool knows, as `[major, minor]`: MongoMirror ends with 6.0, mongosync begins there (their references). */
const BOUNDS = {
  mongomirror: { newest: [6, 0] },
  mongosync: { oldest: [6, 0] },
} as const satisfies Record<string, { oldest?: readonly number[]; newest?: readonly number[] }>;

export const mongodbCompatible = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.compatible',
  version: 1,
  summary:
    'Whether the versions of two replica sets go together, and whether the tool that carries the data knows them.',
  schema: With,
  values: {
    problems: { type: 'number', help: '0 when everything goes together' },
    problem: { type: 'string', help: 'what does not; absent when `problems` is 0' },
    leftVersion: { type: 'string', help: 'of the source' },
    rightVersion: { type: 'string', help: 'of the destination' },
  },
  secrets: ['left', 'right'],

  async sample(context, { left, right, tool }) {
    const [from, to] = await Promise.all([askMongo(context, left, versionOf), askMongo(context, right, versionOf)]);
    const problems = versionProblems({ from, to, tool });
    return {
      problems: problems.length,
      ...(problems.length > 0 && { problem: problems.join('; ') }),
      leftVersion: from.version,
      rightVersion: to.version,
    };
  },
});

async function versionOf(client: MongoClient): Promise<Version> {
  const admin = client.db('admin');
  const [build, feature] = await Promise.all([
    admin.command({ buildInfo: 1 }),
    admin.command({ getParameter: 1, featureCompatibilityVersion: 1 }),
  ]);
  return { version: String(build.version), featureVersion: String(feature.featureCompatibilityVersion.version) };
}

/** Pure: a destination may be newer than its source and not older, and a tool has to know both. */
export function versionProblems({
  from,
  to,
  tool,
}: {
  from: Version;
  to: Version;
  tool: keyof typeof BOUNDS;
}): string[] {
  const { oldest, newest }: { oldest?: readonly number[]; newest?: readonly number[] } = BOUNDS[tool];
  const sides = [
    { side: 'the source', version: from.version },
    { side: 'the destination', version: to.version },
  ];
  return [
    ...sides.flatMap(({ side, version }) => [
      ...(newest && order(version, newest.join('.')) > 0
        ? [`${side} is ${version}, ${tool} ends with ${newest.join('.')}`]
        : []),
      ...(oldest && order(version, oldest.join('.')) < 0
        ? [`${side} is ${version}, ${tool} begins with ${oldest.join('.')}`]
        : []),
    ]),
    ...(order(to.version, from.version) < 0
      ? [`the destination (${to.version}) is older than the source (${from.version})`]
      : []),
    ...(order(to.featureVersion, from.featureVersion) < 0
      ? [
          `the destination's featureCompatibilityVersion ${to.featureVersion} is below the source's ${from.featureVersion}`,
        ]
      : []),
  ];
}

/** Major and minor decide: patches of one line read each other's data. */
function order(a: string, b: string): number {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [a, b].map((text) => text.split('.').map(Number)) as [
    number[],
    number[],
  ];
  return majorA - majorB || minorA - minorB;
}
