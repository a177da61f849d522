import { access } from 'node:fs/promises';
import type { Failure, HostContext } from '@signalbox/protocol';
import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { askMongo, membersOf } from '../mongodb/ask.ts';
import { requireStable } from '../support/stability.ts';
import { isChanging, isDown, lookAtUnit, UnitName, unitReceipt, wasUp } from '../support/unit.ts';
import { STABLE_MS, startUnit, stopUnit } from '../systemd/operate.ts';
import {
  addressProblem,
  commandLineProblems,
  covers,
  type MirrorUnit,
  readMirrorUnit,
  sharingProblems,
} from './mirror-unit.ts';
import { leftovers, namespacesOf, transactionAcross } from './source-facts.ts';

const With = z.strictObject({
  source: MongoConnection,
  destination: MongoConnection,
  unit: UnitName.default('mongomirror.service').describe(
    'The unit that runs the mirror; its command line must name this source and this destination.',
  ),
  partition: z
    .array(z.looseObject({ unit: UnitName }))
    .min(1)
    .optional()
    .describe(
      'All mirrors of this migration, this one included: together they must copy everything, and nothing twice.',
    ),
});
type With = z.infer<typeof With>;

export const mongomirrorStart = defineAction<With>({
  name: 'mongomirror.start',
  version: 1,
  summary:
    'Starts the unit of a mirror and returns: it copies on its own from here. `check` compares its command line with what is meant.',
  schema: With,
  effect: 'reversible',
  does: 'start {unit}',
  undoes: 'stop it unless it ran before',
  byHand: 'systemctl stop -- {unit}',
  leaves: 'what was copied to the destination, and the bookmark',
  touches: ['unit:{unit}'],
  starts: '{unit}',
  secrets: ['source', 'destination'],
  receipt: { activeState: 'what the unit was before', subState: 'likewise', unitFileState: 'likewise' },

  async check(context, input) {
    const mirror = await readMirrorUnit(context, input.unit);
    const problems = [
      ...commandLineProblems(mirror),
      ...(await placeProblems(context, input, mirror)),
      ...(input.partition ? await partitionProblems(context, input, input.partition) : []),
    ];
    return {
      before: unitReceipt(mirror.reading),
      note: mirror.reading.activeState,
      problems: problems.map((text): Failure => actionError('SB-ACT-MIRROR-UNSAFE', text).failure),
    };
  },

  async run(context, { unit }) {
    const { activeState } = await lookAtUnit(context, unit);
    if (activeState === 'active') await requireStable(context, unit, STABLE_MS);
    else await startUnit(context, unit, STABLE_MS);
    return {};
  },

  async undo(context, { unit }, receipt) {
    if (wasUp(unit, receipt)) return { stopped: false };
    await stopUnit(context, unit);
    return { stopped: true };
  },

  async probe(context, { unit }, { direction, receipt }) {
    const now = await lookAtUnit(context, unit);
    if (now.subState === 'auto-restart') return 'partial';
    if (isChanging(now)) return 'in-progress';
    if (direction === 'undo') return isDown(now) || wasUp(unit, receipt) ? 'applied' : 'not-applied';
    return isDown(now) ? 'not-applied' : 'applied';
  },
});

/** Whether it goes from the source that is meant to the destination that is meant, and finds that one empty. */
async function placeProblems(
  context: HostContext,
  { source, destination }: With,
  mirror: MirrorUnit,
): Promise<string[]> {
  const { unit, host, destination: target, bookmark, includes, reading } = mirror;
  const [from, to] = await Promise.all([membersOf(context, source), membersOf(context, destination)]);
  const wrong = [
    ...addressProblem({ unit, option: '--host', given: host }, from),
    ...addressProblem({ unit, option: '--destination', given: target }, to),
  ];
  // A mirror that runs, or that has a bookmark, goes on with what it has copied.
  const begun = !isDown(reading) || (bookmark !== undefined && (await exists(bookmark)));
  if (wrong.length > 0 || begun) return wrong;
  const there = await askMongo(context, destination, namespacesOf);
  const inTheWay = there.filter((ns) => includes.length === 0 || includes.some((name) => covers(name, ns)));
  return inTheWay.length === 0
    ? []
    : [`the destination already has ${inTheWay.slice(0, 5).join(', ')}, and ${unit} has no bookmark to go on from`];
}

async function partitionProblems(
  context: HostContext,
  { source }: With,
  partition: readonly { unit: string }[],
): Promise<string[]> {
  const mirrors = await Promise.all(partition.map(({ unit }) => readMirrorUnit(context, unit)));
  const filters = mirrors.map(({ includes }) => includes);
  return await askMongo(context, source, async (client) => {
    const left = leftovers(await namespacesOf(client), filters);
    const across = await transactionAcross(client, filters);
    return [
      ...sharingProblems(mirrors),
      ...(left.length > 0 ? [`no mirror copies ${left.slice(0, 5).join(', ')}`] : []),
      ...(across === undefined ? [] : [`a transaction wrote to ${across}, which go with different mirrors`]),
    ];
  });
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
