import { type HostContext, isSecretRef, type Json, type SecretRef } from '@signalbox/protocol';
import { textOf } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';

export interface Call {
  url: string;
  method: string;
  headers?: Record<string, string> | undefined;
  body?: Json | undefined;
  /** JSON that is sent to the letter, in place of `body`: numbers in it may be longer than a double holds. */
  json?: string | undefined;
  authorization?: SecretRef | undefined;
}

export interface Answer {
  status: number;
  text: string;
}

const ANSWER_WITHIN_MS = 30_000;
/** The request was never sent: the same call may be made again. */
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/**
 * One request. Redirects are not followed: a changed method or host is not what the runbook says.
 * @throws SB-ACT-HTTP-UNREACHABLE when it was never sent, SB-ACT-HTTP-UNCLEAR when nobody answered.
 */
export async function call(context: HostContext, request: Call): Promise<Answer> {
  const { url, method, headers, body, authorization } = request;
  const sent = request.json ?? (body === undefined ? undefined : JSON.stringify(body));
  const secret = isSecretRef(authorization) ? { authorization: await context.secret(authorization) } : {};
  const json = sent === undefined ? {} : { 'content-type': 'application/json' };
  try {
    const response = await fetch(url, {
      method,
      headers: { ...json, ...headers, ...secret },
      redirect: 'manual',
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      ...(sent !== undefined && { body: sent }),
    });
    return { status: response.status, text: await textOf(response) };
  } catch (error) {
    // Only the reason: what a failed fetch has inside may quote headers.
    const reason = reasonOf(error);
    const code = NEVER_SENT.includes(reason) ? 'SB-ACT-HTTP-UNREACHABLE' : 'SB-ACT-HTTP-UNCLEAR';
    throw actionError(code, `${method} ${url}: ${reason}`);
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'failed';
}
