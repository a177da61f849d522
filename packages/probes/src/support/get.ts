import { type HostContext, parseDuration } from '@signalbox/protocol';
import { textOf } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';

/** Where a probe asks. Secrets have fields of their own, which nobody prints. */
export const Url = z
  .string()
  .regex(/^https?:\/\/[^/@\s]+(\/\S*)?$/, 'http:// or https://, without a user or password in it')
  .describe('Without a user or password in it.');

/** How long an answer may take. */
export const Timeout = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'a duration such as 5s')
  .default('5s');

export interface Got {
  status: number;
  text: string;
  tookMs: number;
}

export interface GetOptions {
  timeoutMs: number;
  headers?: Record<string, string>;
}

/**
 * One GET. A probe changes nothing, so redirects are followed.
 * @throws SB-PROBE-HTTP. The message has only the reason: what a failed request has inside may quote headers.
 */
export async function get(context: HostContext, url: string, { timeoutMs, headers = {} }: GetOptions): Promise<Got> {
  const begun = performance.now();
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(url, { headers, signal });
    const text = await textOf(response);
    return { status: response.status, text, tookMs: Math.round(performance.now() - begun) };
  } catch (error) {
    throw probeError('SB-PROBE-HTTP', `GET ${url}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'failed';
}
