import { Effect, type HostContext, holds, isJsonObject, type Json, Scalar, SecretRef } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { type Answer, type Call, call } from './call.ts';

/** A password in a URL would be in the plan, the log and every event. */
/** Secrets have fields of their own, which nobody prints. */
export const Url = z
  .string()
  .regex(/^https?:\/\/[^/@\s]+(\/\S*)?$/, 'http:// or https://, without a user or password in it');
const Method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const Status = z.int().min(100).max(599);
const Expect = z.strictObject({ status: z.union([Status, z.array(Status).min(1)]) });

/** JSON as the runbook has it. Of several readings the first that fits is taken: so numbers come before text. */
const Body: z.ZodType<Json> = z.lazy(() =>
  z.union([z.number(), z.boolean(), z.null(), z.string(), z.array(Body), z.record(z.string(), Body)]),
);

const Request = {
  url: Url.describe('Without a user or password in it.'),
  method: Method.default('POST'),
  body: Body.optional().describe('Sent as JSON.'),
  expect: Expect.optional().describe('Any 2xx when not given.'),
};

const With = z.strictObject({
  ...Request,
  headers: z.record(z.string(), z.string()).optional().describe('No secrets: a plan is read by many.'),
  authorization: SecretRef.optional().describe('The whole value of the Authorization header.'),
  effect: Effect.describe('What the request does to the world; only the author of the runbook can know.'),
  undo: z.strictObject(Request).optional().describe('Takes it back; wanted when effect is reversible.'),
  probe: z
    .strictObject({ url: Url, applied: z.record(z.string(), Scalar) })
    .optional()
    .describe('GET of JSON that shows the effect: it is applied when every path has its value.'),
});
type With = z.infer<typeof With>;

/** How long a server may take until its own state shows what it has accepted. */
const SHOWN_WITHIN_MS = 30_000;

export const httpRequest = defineAction<With>({
  name: 'http.request',
  version: 1,
  summary: 'Sends one HTTP request. The author of the runbook states its effect, its way back and how to ask.',
  schema: With.refine(({ effect, undo }) => effect !== 'reversible' || undo, 'effect: reversible needs undo'),
  effect: ({ effect }) => effect,
  does: '{method} {url}',
  undoes: '{undo.method} {undo.url}',
  touches: ['url:{url}'],
  secrets: ['authorization'],
  receipt: { status: 'status of the answer' },

  async check(context, input) {
    if (!input.probe) return { before: {}, problems: [] };
    const state = await ask(context, input).catch(() => 'cannot-tell');
    return { before: {}, note: state === 'cannot-tell' ? 'cannot be asked now' : state, problems: [] };
  },

  async run(context, input) {
    const { status } = await must(context, input, input);
    if (input.probe) await shown(context, input, 'applied');
    return { status };
  },

  async undo(context, input) {
    if (!input.undo) throw actionError('SB-ACT-NO-RECEIPT', `no way back is stated for ${input.method} ${input.url}`);
    if (input.probe && (await ask(context, input)) === 'not-applied') return { undone: false };
    await must(context, input.undo, input);
    if (input.probe) await shown(context, input, 'not-applied');
    return { undone: true };
  },

  async probe(context, input, { direction }) {
    if (!input.probe) return input.effect === 'read' ? 'not-applied' : 'cannot-tell';
    const state = await ask(context, input);
    if (direction === 'do' || state === 'cannot-tell') return state;
    return state === 'applied' ? 'not-applied' : 'applied';
  },
});

type Wanted = Pick<With, 'url' | 'method' | 'body' | 'expect'>;

async function must(context: HostContext, wanted: Wanted, { headers, authorization }: With): Promise<Answer> {
  const { url, method, body, expect } = wanted;
  const answer = await call(context, { url, method, headers, body, authorization } satisfies Call);
  const { status } = answer;
  const good = expect ? [expect.status].flat().includes(status) : status >= 200 && status < 300;
  if (good) return answer;
  // Only 4xx says that nothing was done: a server may fail after the work, and a redirect or another 2xx may follow it.
  const code = status >= 400 && status < 500 ? 'SB-ACT-HTTP-REFUSED' : 'SB-ACT-HTTP-UNCLEAR';
  throw actionError(code, `${method} ${url} was answered with ${status}`);
}

async function ask(context: HostContext, { probe, headers, authorization }: With) {
  if (!probe) return 'cannot-tell';
  const { status, text } = await call(context, { url: probe.url, method: 'GET', headers, authorization });
  if (status < 200 || status > 299) return 'cannot-tell';
  try {
    const json = parseJson64(text);
    if (!isJsonObject(json)) return 'cannot-tell';
    const condition = Object.fromEntries(Object.entries(probe.applied).map(([path, equals]) => [path, { equals }]));
    return holds(condition, [{ atMs: 0, values: json }]) ? 'applied' : 'not-applied';
  } catch {
    return 'cannot-tell';
  }
}

/** Accepted is not done: waits until the server's own state shows it. @throws SB-ACT-HTTP-UNCLEAR */
async function shown(context: HostContext, input: With, wanted: 'applied' | 'not-applied'): Promise<void> {
  const end = context.nowMs() + SHOWN_WITHIN_MS;
  // The request is sent: from here on no failure to ask may look like a reason to send it again.
  const look = () => ask(context, input).catch(() => 'cannot-tell');
  let state = await look();
  while (state !== wanted) {
    if (context.nowMs() >= end) {
      throw actionError('SB-ACT-HTTP-UNCLEAR', `${input.probe?.url} still says ${state} after the request`);
    }
    await context.sleep(250);
    state = await look();
  }
}
