import { isJsonObject, type Json } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { get } from '../support/get.ts';

const With = z.strictObject({
  api: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+\/?$/, 'http://host:port')
    .default('http://127.0.0.1:27182')
    .describe('It has no authentication of its own: it belongs on loopback.'),
});

const ANSWER_WITHIN_MS = 10_000;

export const mongosyncProgress = defineProbe<z.infer<typeof With>>({
  name: 'mongosync.progress',
  version: 1,
  summary: 'What mongosync says of its synchronisation.',
  schema: With,
  values: {
    state: { type: 'string', help: 'IDLE, RUNNING, PAUSED, COMMITTING, COMMITTED, REVERSING' },
    canCommit: { type: 'boolean', help: 'whether a commit would be accepted now' },
    canWrite: { type: 'boolean', help: 'whether the destination may be written to' },
    lagSeconds: {
      type: 'number',
      unit: 's',
      help: 'between the newest event of the source and the last one applied; may never be 0',
    },
    phase: { type: 'string', help: 'what it does, in its own words' },
    copiedBytes: { type: 'number', unit: 'bytes', help: 'of the first copy' },
    totalBytes: { type: 'number', unit: 'bytes', help: 'of the first copy' },
    eventsApplied: { type: 'number', help: 'changes carried over after the first copy' },
  },

  async sample(context, { api }) {
    const { status, text } = await get(context, `${(api ?? '').replace(/\/$/, '')}/api/v1/progress`, {
      timeoutMs: ANSWER_WITHIN_MS,
    });
    const json = status === 200 ? parsed(text) : undefined;
    const progress = isJsonObject(json) ? json.progress : undefined;
    // For minutes after a start or a resume it may answer with an error: a missing sample, and no failure [T39].
    if (!isJsonObject(progress)) throw probeError('SB-PROBE-MONGOSYNC', `${api} answered with ${status}`);
    const { state, canCommit, canWrite, info } = progress;
    const lag = isJsonObject(progress.lag) ? progress.lag.overallLagSeconds : undefined;
    const copy = isJsonObject(progress.collectionCopy) ? progress.collectionCopy : {};
    return Object.fromEntries(
      Object.entries({
        state: typeof state === 'string' ? state : undefined,
        canCommit: typeof canCommit === 'boolean' ? canCommit : undefined,
        canWrite: typeof canWrite === 'boolean' ? canWrite : undefined,
        lagSeconds: numberOf(lag ?? progress.lagTimeSeconds),
        phase: typeof info === 'string' ? info : undefined,
        copiedBytes: numberOf(copy.estimatedCopiedBytes),
        totalBytes: numberOf(copy.estimatedTotalBytes),
        eventsApplied: numberOf(progress.totalEventsApplied),
      }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    );
  },
});

function parsed(text: string): Json | undefined {
  try {
    return parseJson64(text);
  } catch {
    return undefined;
  }
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
