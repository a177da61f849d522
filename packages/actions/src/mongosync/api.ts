import { type HostContext, isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { call } from '../http/call.ts';

export const Api = z
  .string()
  .regex(/^https?:\/\/[^/@\s]+\/?$/, 'http://host:port')
  .default('http://127.0.0.1:27182')
  .describe('Where mongosync listens. It has no authentication of its own: it belongs on loopback.');

export type SyncState = 'IDLE' | 'RUNNING' | 'PAUSED' | 'COMMITTING' | 'COMMITTED' | 'REVERSING' | (string & {});

export interface Progress {
  state: SyncState;
  canCommit: boolean;
  canWrite: boolean;
}

/** How long mongosync may take until its own state shows what it has accepted. */
const SHOWN_WITHIN_MS = 120_000;
const LISTENS_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** @throws SB-ACT-HTTP-* when it cannot be asked, SB-ACT-MONGOSYNC when its answer is not one */
export async function readProgress(context: HostContext, api: string): Promise<Progress> {
  const { status, text } = await call(context, { url: `${base(api)}/progress`, method: 'GET' });
  const progress = parsed(text).progress;
  if (status !== 200 || !isJsonObject(progress)) {
    throw actionError('SB-ACT-MONGOSYNC', `${api} answered with ${status} when it was asked for its progress`);
  }
  const { state, canCommit, canWrite } = progress;
  return { state: String(state), canCommit: canCommit === true, canWrite: canWrite === true };
}

/**
 * What a plan may know: a runbook starts the process itself, so before that nobody listens, and that is no problem.
 * @throws what asking it throws, unless the request was never sent
 */
export async function lookAhead(context: HostContext, api: string): Promise<Progress | undefined> {
  try {
    return await readProgress(context, api);
  } catch (error) {
    if (error instanceof SignalboxError && error.code === 'SB-ACT-HTTP-UNREACHABLE') return undefined;
    throw error;
  }
}

/**
 * A process that has only just been started is not asked in vain: it takes its time to listen.
 * @throws what asking it throws, when it has had that time
 */
export async function onceItListens(context: HostContext, api: string): Promise<Progress> {
  const end = context.nowMs() + LISTENS_WITHIN_MS;
  while (context.nowMs() < end) {
    const progress = await lookAhead(context, api);
    if (progress) return progress;
    await context.sleep(LOOK_EVERY_MS);
  }
  return await readProgress(context, api);
}

/**
 * Posts a command; the body is an object, `{}` at least, or mongosync refuses it.
 * @throws SB-ACT-MONGOSYNC when it says no, SB-ACT-HTTP-* when it was not reached or did not answer
 */
export async function post(
  context: HostContext,
  api: string,
  { path, body = {} }: { path: string; body?: JsonObject },
) {
  const { status, text } = await call(context, { url: `${base(api)}/${path}`, method: 'POST', body });
  const { success, error, errorDescription } = parsed(text);
  if (status === 200 && success === true) return;
  const said = [error, errorDescription].filter((part) => typeof part === 'string').join(': ');
  throw actionError('SB-ACT-MONGOSYNC', `${path} was answered with ${status}${said && `: ${said}`}`);
}

/**
 * Accepted is not done: waits until its own state shows it. An answer that does not come is not counted: for minutes
 * after a resume mongosync does not tell its progress [T39].
 * @throws SB-ACT-HTTP-UNCLEAR
 */
export async function shown(
  context: HostContext,
  api: string,
  done: (progress: Progress) => boolean,
): Promise<Progress> {
  const end = context.nowMs() + SHOWN_WITHIN_MS;
  for (;;) {
    const progress = await readProgress(context, api).catch(() => undefined);
    if (progress && done(progress)) return progress;
    if (context.nowMs() >= end) {
      throw actionError('SB-ACT-HTTP-UNCLEAR', `mongosync still says ${progress?.state ?? 'nothing'}`);
    }
    await context.sleep(LOOK_EVERY_MS);
  }
}

const base = (api: string) => `${api.replace(/\/$/, '')}/api/v1`;

function parsed(text: string): JsonObject {
  try {
    const json = parseJson64(text);
    return isJsonObject(json) ? json : {};
  } catch {
    return {};
  }
}
