import type { HostContext, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { isStopped, NOWHERE, type Place, type Positions, place, positionsOf, samePositions, stateOf } from './rest.ts';

const Url = z
  .string()
  .regex(/^https?:\/\/[^/@\s]+(\/\S*[^/])?$/, 'http:// or https://, without a user in it or a slash at its end');
const With = z.strictObject({
  from: Url.describe('REST interface of the Kafka Connect that has the position.'),
  to: Url.describe('That of the new one, where a connector of the same name is stopped.'),
  connector: z.string().min(1),
});
type With = z.infer<typeof With>;

/** Accepted is not done: positions go through a topic, and for a moment the old ones may still be shown. */
const SHOWN_WITHIN_MS = 30_000;

export const connectOffsetsCopy = defineAction<With>({
  name: 'connect.offsetsCopy',
  version: 1,
  summary:
    'Carries the position of a source connector to another Kafka Connect (3.6 or newer): else CDC copies everything again, or skips. Both must be stopped.',
  schema: With,
  effect: 'reversible',
  does: 'position of {connector} to {to}',
  undoes: 'position as before, or none',
  touches: ['connector:{to}/{connector}'],
  receipt: { before: 'the position at the new place before, as Kafka Connect wrote it' },

  async check(context, input) {
    const { from, to } = places(input);
    const [source, destination] = [await stateOf(context, from), await stateOf(context, to)];
    const [now, before] = [await positionsOf(context, from), await positionsOf(context, to)];
    return {
      before: { before: before.text, parts: before.parts },
      note: `${source.state}, ${now.parts} positions`,
      problems: isStopped(destination) ? [] : [running(to, destination.state)],
    };
  },

  async run(context, input) {
    const { from, to } = places(input);
    const [source, destination] = [await stateOf(context, from), await stateOf(context, to)];
    if (!isStopped(source)) throw actionError('SB-ACT-CONNECT-RUNNING', running(from, source.state).message);
    if (!isStopped(destination)) throw actionError('SB-ACT-CONNECT-RUNNING', running(to, destination.state).message);
    await placed(context, to, await positionsOf(context, from));
    return {};
  },

  async undo(context, input, receipt) {
    const { to } = places(input);
    const before = recorded(receipt);
    if (samePositions(await positionsOf(context, to), before)) return { undone: false };
    await placed(context, to, before);
    return { undone: true };
  },

  async probe(context, input, { direction, receipt }) {
    const { from, to } = places(input);
    const [there, wanted, before] = [
      await positionsOf(context, to),
      await positionsOf(context, from),
      recorded(receipt),
    ];
    const [done, undone] = direction === 'do' ? [wanted, before] : [before, wanted];
    if (samePositions(there, done)) return 'applied';
    return samePositions(there, undone) ? 'not-applied' : 'partial';
  },
});

const places = ({ from, to, connector }: With): { from: Place; to: Place } => ({
  from: { url: from, connector },
  to: { url: to, connector },
});

function running({ url, connector }: Place, state: string) {
  const text = `${connector} at ${url} is ${state === 'STOPPED' ? 'STOPPED, but has a task that still runs' : state}`;
  return actionError('SB-ACT-CONNECT-RUNNING', text).failure;
}

async function placed(context: HostContext, at: Place, positions: Positions): Promise<void> {
  await place(context, at, positions);
  const end = context.nowMs() + SHOWN_WITHIN_MS;
  while (!samePositions(await positionsOf(context, at), positions)) {
    if (context.nowMs() >= end)
      throw actionError('SB-ACT-CONNECT-DIFFER', `${at.connector} at ${at.url} does not show what it was given`);
    await context.sleep(250);
  }
}

/** @throws SB-ACT-NO-RECEIPT */
function recorded({ before, parts }: JsonObject): Positions {
  if (typeof before === 'string' && typeof parts === 'number') return parts === 0 ? NOWHERE : { text: before, parts };
  throw actionError('SB-ACT-NO-RECEIPT', 'the position at the new place before the step was not recorded');
}
