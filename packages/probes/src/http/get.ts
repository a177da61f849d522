import { type Json, parseDuration, SecretRef } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { get, Timeout, Url } from '../support/get.ts';

const With = z.strictObject({
  url: Url,
  headers: z.record(z.string(), z.string()).optional().describe('No secrets: a plan is read by many.'),
  authorization: SecretRef.optional().describe('The whole value of the Authorization header.'),
  timeout: Timeout.describe('How long the answer may take.'),
});

/** A sample goes into the log of a run: a page does not. */
const TEXT_CHARACTERS = 1_000;
const JSON_CHARACTERS = 64_000;

export const httpGet = defineProbe<z.infer<typeof With>>({
  name: 'http.get',
  version: 1,
  summary: 'Status, time and body of one GET. Fields of a JSON body are asked for by path: `body.connector.state`.',
  schema: With,
  open: true,
  secrets: ['authorization'],
  values: {
    status: { type: 'number', help: 'status of the answer' },
    tookMs: { type: 'number', unit: 'ms', help: 'from the request to the end of the body' },
    body: { type: 'object', help: 'JSON as it is; other text up to 1,000 characters; absent when there is none' },
    bodyBytes: { type: 'number', unit: 'bytes', help: 'size of the whole body' },
  },

  async sample(context, { url, headers, authorization, timeout }) {
    const secret = authorization && { authorization: await context.secret(authorization) };
    const { status, text, tookMs } = await get(context, url, {
      timeoutMs: parseDuration(timeout) ?? 5_000,
      headers: { ...headers, ...secret },
    });
    const body = bodyOf(text);
    return { status, tookMs, bodyBytes: Buffer.byteLength(text), ...(body !== undefined && { body }) };
  },
});

function bodyOf(text: string): Json | undefined {
  if (text === '') return undefined;
  try {
    return text.length > JSON_CHARACTERS ? undefined : parseJson64(text);
  } catch {
    return text.slice(0, TEXT_CHARACTERS);
  }
}
