import { parseDuration } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { headOf } from '../git/repository.ts';
import { HostPath, sha256Text } from '../support/files.ts';
import {
  COMPOSE,
  compose,
  composeProblems,
  containerOf,
  docker,
  receiptOf,
  recordedContainer,
  requireRunning,
} from './compose.ts';

const With = z.strictObject({
  ...COMPOSE,
  build: z.boolean().default(false).describe('Build the image of the service first, as its compose file says.'),
  code: HostPath.optional().describe(
    'A working tree that the container mounts: its commit is recorded with the image.',
  ),
  stableFor: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'a duration such as 2s')
    .default('2s')
    .describe('How long the container must stay up before the step is done.'),
});
type With = z.infer<typeof With>;

export const dockerUp = defineAction<With>({
  name: 'docker.up',
  version: 1,
  summary:
    'Brings one service of a compose file up and proves that it stays up; the image before is kept under a name of its own.',
  schema: With,
  effect: 'reversible',
  does: 'bring {service} of {file} up',
  undoes: 'the container with the image that it had, running only if it ran',
  leaves: 'the image before, under a name of its own',
  touches: ['path:{file}'],
  receipt: {
    container: 'image, its name, and whether it ran; null when there was none',
    commit: 'of the code that the container mounts',
    image: 'the image that runs now',
  },
  timeoutMs: 30 * 60_000,

  async check(context, input) {
    const problems = await composeProblems(context, input);
    if (problems.length > 0) return { before: {}, problems };
    const container = await containerOf(context, input);
    const code = input.code === undefined ? {} : { commit: (await headOf(context, input.code)).commit };
    return {
      before: { ...receiptOf(container), ...code },
      note: container?.image.slice(7, 19) ?? 'no container',
      problems,
    };
  },

  async run(context, input, before) {
    const old = recordedContainer(before);
    // The name alone is no backup: a build moves it to another image, and the old one may be cleared away as unused.
    if (old) await docker(context, input, ['tag', old.image, keptName(old.imageName, old.image)]);
    if (input.build) await compose(context, input, ['build', input.service]);
    await compose(context, input, [
      'up',
      '--detach',
      '--no-deps',
      ...(input.build ? [] : ['--no-build']),
      input.service,
    ]);
    const { image } = await requireRunning(context, input, parseDuration(input.stableFor) ?? 2_000);
    return { image };
  },

  async undo(context, input, receipt) {
    const old = recordedContainer(receipt);
    const now = await containerOf(context, input);
    if (old === undefined) {
      if (now) await compose(context, input, ['rm', '--stop', '--force', input.service]);
      return { restored: now !== undefined };
    }
    const named = await docker(context, input, ['image', 'inspect', '--format', '{{.Id}}', old.imageName]).catch(
      () => '',
    );
    if (now?.image === old.image && now.running === old.running && named === old.image) return { restored: false };
    if (named !== old.image) await docker(context, input, ['tag', old.image, old.imageName]);
    if (old.running) {
      await compose(context, input, ['up', '--detach', '--no-deps', '--no-build', input.service]);
      await requireRunning(context, input, parseDuration(input.stableFor) ?? 2_000);
    } else {
      // Code and image go back together: what starts it again is the undo of the step that stopped it.
      await compose(context, input, ['stop', input.service]);
      await compose(context, input, ['up', '--no-start', '--no-deps', '--no-build', input.service]);
    }
    const back = await containerOf(context, input);
    if (back?.image !== old.image) {
      const what = back === undefined ? 'has no container' : `is back with ${back.imageName}`;
      const why = `${input.service} ${what}, not with the ${old.imageName} that it had: ${input.file} was changed since`;
      throw actionError('SB-ACT-CONTAINER', why);
    }
    return { restored: true };
  },

  async probe(context, input, { direction, receipt }) {
    const [now, old] = [await containerOf(context, input), recordedContainer(receipt)];
    if (direction === 'undo') {
      return now?.image === old?.image && (now?.running ?? false) === (old?.running ?? false)
        ? 'applied'
        : 'not-applied';
    }
    if (!now?.running) return now === undefined || now.image === old?.image ? 'not-applied' : 'partial';
    return old?.running === true && now.image === old.image ? 'cannot-tell' : 'applied';
  },
});

function keptName(imageName: string, image: string): string {
  const repository = imageName.replace(/[:@][^/]*$/, '');
  return `${repository}:signalbox-${sha256Text(image).slice(0, 12)}`;
}
