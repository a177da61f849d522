import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import {
  COMPOSE,
  compose,
  composeProblems,
  containerOf,
  isStartOf,
  receiptOf,
  recordedContainer,
  requireRunning,
} from './compose.ts';

const STABLE_MS = 1_000;

const With = z.strictObject(COMPOSE);

export const dockerStop = defineAction<z.infer<typeof With>>({
  name: 'docker.stop',
  version: 1,
  summary: 'Stops one service of a compose file and proves that its container does not run.',
  schema: With,
  effect: 'reversible',
  does: 'stop {service} of {file}',
  undoes: 'start its container again if it was running',
  byHand: '[DOCKER_HOST=unix://{socket} ]docker compose --file {file} [--project-name {project} ]start {service}',
  touches: ['path:{file}'],
  receipt: { container: 'image, its name, and whether it ran; null when there was none', own: 'which start it was' },
  timeoutMs: 5 * 60_000,

  async check(context, input) {
    const problems = await composeProblems(context, input);
    if (problems.length > 0) return { before: {}, problems };
    const container = await containerOf(context, input);
    const note = container === undefined ? 'no container' : container.running ? 'running' : 'stopped';
    const own = { startedAt: container?.startedAt ?? '' };
    return { before: { ...receiptOf(container), own }, note, problems };
  },

  async run(context, input) {
    if (!(await containerOf(context, input))) return {};
    await compose(context, input, ['stop', input.service]);
    const now = await containerOf(context, input);
    if (now?.running) throw actionError('SB-ACT-CONTAINER', `${input.service} was stopped and still runs`);
    return {};
  },

  async undo(context, input, receipt) {
    if (recordedContainer(receipt)?.running !== true) return { started: false };
    const now = await containerOf(context, input);
    // Never stopped, or nobody recorded which start it was.
    if (now?.running && isStartOf(receipt, now) !== false) return { started: false };
    // It came up meanwhile, with the engine: from code and files that the steps behind this one had changed.
    if (now?.running) await compose(context, input, ['stop', input.service]);
    await compose(context, input, ['up', '--detach', '--no-deps', '--no-build', input.service]);
    await requireRunning(context, input, STABLE_MS);
    return { started: true };
  },

  async probe(context, input, { direction, receipt, begun }) {
    const now = await containerOf(context, input);
    if (direction === 'do') return now?.running ? 'not-applied' : 'applied';
    if (recordedContainer(receipt)?.running !== true) return 'applied';
    // Up before its way back was begun, and another start than the one that was stopped: it came up by itself.
    const early = begun !== undefined && Date.parse(now?.startedAt ?? '') < begun.atMs;
    return now?.running && !(early && isStartOf(receipt, now) === false) ? 'applied' : 'not-applied';
  },
});
