import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { call } from '../http/call.ts';

/** A connector in one Kafka Connect cluster. */
export interface Place {
  readonly url: string;
  readonly connector: string;
}

/** What stands in Kafka Connect's answer about a source's position, to the letter: 64-bit numbers are not touched. */
export interface Positions {
  readonly text: string;
  /** How many parts of the source have a position. */
  readonly parts: number;
}

export const NOWHERE: Positions = { text: '{"offsets":[]}', parts: 0 };

export interface ConnectorState {
  /** `RUNNING`, `PAUSED`, `STOPPED`, ... */
  readonly state: string;
  /** Tasks that still exist: for a moment after the connector says STOPPED they go on writing. */
  readonly tasks: number;
}

/** @throws SB-ACT-CONNECT when there is no such source, SB-ACT-HTTP-* */
export async function stateOf(context: HostContext, place: Place): Promise<ConnectorState> {
  const status = await ask(context, place, { path: 'status', method: 'GET' });
  if (status.type === 'sink') {
    const text = `${place.connector} at ${place.url} is a sink; its position is that of the group connect-${place.connector}`;
    throw actionError('SB-ACT-CONNECT', text);
  }
  const connector = isJsonObject(status.connector) ? status.connector : {};
  return { state: String(connector.state), tasks: Array.isArray(status.tasks) ? status.tasks.length : 0 };
}

export const isStopped = ({ state, tasks }: ConnectorState) => state === 'STOPPED' && tasks === 0;

export async function positionsOf(context: HostContext, place: Place): Promise<Positions> {
  const { offsets, text } = await ask(context, place, { path: 'offsets', method: 'GET' });
  if (!Array.isArray(offsets)) throw actionError('SB-ACT-CONNECT', `${place.url} shows no positions`);
  return { text: String(text), parts: offsets.length };
}

/** Puts these positions in place of whatever is there. */
export async function place(context: HostContext, at: Place, positions: Positions): Promise<void> {
  await ask(context, at, { path: 'offsets', method: 'DELETE' });
  if (positions.parts > 0) await ask(context, at, { path: 'offsets', method: 'PATCH', json: positions.text });
}

/** Whether two say the same, in whatever order. */
export function samePositions(a: Positions, b: Positions): boolean {
  return canonical(a.text) === canonical(b.text);
}

function canonical(text: string): string {
  const json = parseJson64(text);
  const offsets = isJsonObject(json) && Array.isArray(json.offsets) ? json.offsets : [];
  return JSON.stringify(offsets.map(sorted).sort());
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, of]) => `${JSON.stringify(key)}:${sorted(of)}`)
    .sort()
    .join()}}`;
}

async function ask(
  context: HostContext,
  { url, connector }: Place,
  { path, method, json }: { path: string; method: string; json?: string },
): Promise<JsonObject> {
  const target = `${url}/connectors/${encodeURIComponent(connector)}/${path}`;
  const { status, text } = await call(context, { url: target, method, json });
  if (status >= 200 && status < 300) return { ...object(text), text };
  if (status === 400) throw actionError('SB-ACT-CONNECT-RUNNING', `${target}: ${said(text)}`);
  if (status === 404 || status === 405) throw actionError('SB-ACT-CONNECT', `${target}: ${said(text)}`);
  throw actionError('SB-ACT-HTTP-UNCLEAR', `${method} ${target} was answered with ${status}: ${said(text)}`);
}

function object(text: string): JsonObject {
  try {
    const json = parseJson64(text);
    return isJsonObject(json) ? json : {};
  } catch {
    return {};
  }
}

const said = (text: string) => String(object(text).message ?? 'no reason was given').slice(0, 300);
