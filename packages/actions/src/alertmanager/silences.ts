import type { HostContext, Json, SecretRef } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { call } from '../http/call.ts';

/** Alertmanager's API v2, as far as it is needed. */
export interface Alertmanager {
  url: string;
  authorization?: SecretRef | undefined;
}

const Silence = z.object({
  id: z.string(),
  createdBy: z.string(),
  comment: z.string(),
  endsAt: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
});
export type Silence = z.infer<typeof Silence>;

export interface NewSilence {
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
  comment: string;
  forMs: number;
}

const CREATED_BY = 'signalbox';

/** Those in force or to come that were made in this name. @throws SB-ACT-ALERTMANAGER, SB-ACT-HTTP-* */
export async function silencesOf(context: HostContext, manager: Alertmanager, name: string): Promise<Silence[]> {
  const text = await must(context, manager, { method: 'GET', path: 'silences' });
  const all = z.array(Silence).safeParse(parsed(text));
  if (!all.success) throw actionError('SB-ACT-ALERTMANAGER', `${manager.url} does not list silences`);
  return all.data.filter(
    ({ createdBy, comment, status }) =>
      createdBy === CREATED_BY && comment.startsWith(`${name}: `) && status.state !== 'expired',
  );
}

/** From now on, whatever the clocks of this host and of Alertmanager say: it puts a start that is over to its own now. */
export async function addSilence(
  context: HostContext,
  manager: Alertmanager,
  { matchers, comment, forMs }: NewSilence,
): Promise<void> {
  const endsAt = new Date(context.nowMs() + forMs).toISOString();
  const body = { matchers, comment, createdBy: CREATED_BY, startsAt: new Date(0).toISOString(), endsAt };
  await must(context, manager, { method: 'POST', path: 'silences', body });
}

export async function endSilence(context: HostContext, manager: Alertmanager, id: string): Promise<void> {
  await must(context, manager, { method: 'DELETE', path: `silence/${encodeURIComponent(id)}` });
}

async function must(
  context: HostContext,
  { url, authorization }: Alertmanager,
  { method, path, body }: { method: string; path: string; body?: Json },
): Promise<string> {
  const at = `${url.replace(/\/$/, '')}/api/v2/${path}`;
  const { status, text } = await call(context, { url: at, method, body, authorization });
  if (status >= 200 && status < 300) return text;
  const said = `${method} ${at} was answered with ${status}: ${text.slice(0, 200)}`;
  throw actionError(status >= 500 ? 'SB-ACT-HTTP-UNCLEAR' : 'SB-ACT-ALERTMANAGER', said);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
