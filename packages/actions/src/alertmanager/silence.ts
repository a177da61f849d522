import { type HostContext, type JsonObject, parseDuration, SecretRef } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { Url } from '../http/request.ts';
import { addSilence, endSilence, type Silence, silencesOf } from './silences.ts';

const Matcher = z.strictObject({
  name: z.string().min(1).describe('Of a label.'),
  value: z.string(),
  isRegex: z.boolean().default(false),
  isEqual: z.boolean().default(true),
});

const With = z.strictObject({
  url: Url.describe('Of Alertmanager, without `/api/v2`.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, dashes')
    .describe('Stands in the comment of the silence, and finds it again: `${run.id}`.'),
  silenced: z.boolean().default(true).describe('false ends what was silenced in this name.'),
  matchers: z.array(Matcher).min(1).describe('Alerts that have all of these labels.'),
  for: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, 'a duration such as 4h')
    .describe('The end that it has in any case, whatever becomes of the run.'),
  comment: z.string().default('a cutover').describe('For whoever finds it in Alertmanager.'),
  authorization: SecretRef.optional().describe('The whole value of the Authorization header.'),
});
type With = z.infer<typeof With>;

export const alertmanagerSilence = defineAction<With>({
  name: 'alertmanager.silence',
  version: 1,
  summary: 'Silences alerts, and what acts on them, for a time that ends by itself; or ends such a silence early.',
  schema: With,
  effect: 'reversible',
  does: 'silence alerts for {for} at {url}: {silenced}',
  undoes: 'silenced or not, as before',
  touches: [],
  secrets: ['authorization'],
  receipt: { silenced: 'whether there was a silence in this name before' },

  async check(context, input) {
    const now = await silencesOf(context, input, input.name);
    return { before: { silenced: now.length > 0 }, note: noteOf(now), problems: [] };
  },

  async run(context, input) {
    await set(context, input, input.silenced);
    return {};
  },

  async undo(context, input, receipt) {
    await set(context, input, silencedBefore(receipt));
    return {};
  },

  async probe(context, input, { direction, receipt }) {
    const wanted = direction === 'do' ? input.silenced : silencedBefore(receipt);
    return (await silencesOf(context, input, input.name)).length > 0 === wanted ? 'applied' : 'not-applied';
  },
});

/** Looks first, so a crash between request and answer makes no second silence; and last, so that accepted is not done. */
async function set(context: HostContext, input: With, silenced: boolean): Promise<void> {
  const now = await silencesOf(context, input, input.name);
  if (now.length > 0 === silenced) return;
  for (const { id } of now) await endSilence(context, input, id);
  if (silenced) {
    const { matchers, name, comment } = input;
    await addSilence(context, input, {
      matchers,
      comment: `${name}: ${comment}`,
      forMs: parseDuration(input.for) ?? 0,
    });
  }
  const then = await silencesOf(context, input, input.name);
  context.print(noteOf(then));
  if (then.length > 0 !== silenced) {
    throw actionError('SB-ACT-HTTP-UNCLEAR', `${input.url} does not show it: ${noteOf(then)}`);
  }
}

function noteOf(silences: readonly Silence[]): string {
  return silences.map(({ endsAt }) => `silenced until ${endsAt}`).join(', ') || 'not silenced';
}

function silencedBefore({ silenced }: JsonObject): boolean {
  if (typeof silenced === 'boolean') return silenced;
  throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded whether alerts were silenced before the step');
}
