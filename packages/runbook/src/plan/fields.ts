import { isJsonObject, type Json, parseDuration, type Timing, type Window } from '@signalbox/protocol';
import type { Report } from '../diagnostic.ts';
import { get, type MapNode, type Node, toJson } from '../node.ts';
import { type BindContext, bind } from './bind.ts';

// Values of the language's own fields, after binding. What a parameter put there may still be wrong: SB205.

export function text(node: Node | undefined, context: BindContext): string | undefined {
  if (!node) return undefined;
  const value = toJson(bind(node, context));
  return typeof value === 'object' ? undefined : String(value);
}

export function durationMs(node: Node | undefined, context: BindContext): number | undefined {
  return converted(node, context, { what: 'a duration such as 30s or 1h30m', convert: parseDuration });
}

export function timeMs(node: Node | undefined, context: BindContext): number | undefined {
  const convert = (s: string) => (Number.isNaN(Date.parse(s)) ? undefined : Date.parse(s));
  return converted(node, context, { what: 'a time with its zone', convert });
}

export function whole(node: Node | undefined, context: BindContext): number | undefined {
  const convert = (s: string) => (/^\d+$/.test(s) ? Number(s) : undefined);
  return converted(node, context, { what: 'a whole number', convert });
}

export function isTrue(node: Node | undefined, context: BindContext): boolean {
  return text(node, context) === 'true';
}

function converted(
  node: Node | undefined,
  context: BindContext,
  { what, convert }: { what: string; convert: (text: string) => number | undefined },
): number | undefined {
  const found = text(node, context);
  if (!node || found === undefined) return undefined;
  const value = convert(found);
  if (value === undefined) context.report('SB205', node.at, { message: `Here is \`${found}\`; expected ${what}.` });
  return value;
}

/** When a step or group may begin and must be decided; undefined when it says nothing about it. */
export function timingOf(node: MapNode, context: BindContext, group: boolean): Timing | undefined {
  const onDeadline = text(get(node, 'onDeadline'), context);
  const timing: Timing = {
    ...opt('notBeforeMs', timeMs(get(node, 'notBefore'), context)),
    ...opt('decideByMs', timeMs(get(node, 'decideBy'), context)),
    ...(onDeadline === 'hold' || onDeadline === 'rollback' ? { onDeadline } : {}),
    ...(group ? opt('timeoutMs', durationMs(get(node, 'timeout'), context)) : {}),
  };
  return Object.keys(timing).length > 0 ? timing : undefined;
}

/** The maintenance window of a runbook; undefined when it has none. */
export function windowOf(node: Node | undefined, context: BindContext): Window | undefined {
  const window: Window = {
    ...opt('notBeforeMs', timeMs(get(node, 'notBefore'), context)),
    ...opt('notAfterMs', timeMs(get(node, 'notAfter'), context)),
  };
  return Object.keys(window).length > 0 ? window : undefined;
}

/** A property that is there only when it has a value. */
export function opt<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  const out: Partial<Record<K, V>> = {};
  if (value !== undefined) out[key] = value;
  return out;
}

/** How a value looks in a table: a secret as where it is, a reference as what it refers to. */
export function shown(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return Array.isArray(value) ? value.map((v) => shown(v) ?? '').join(' ') : String(value);
  if (typeof value.$secret === 'string') return value.$secret;
  if (typeof value.$step === 'string' && Array.isArray(value.path)) return `${value.path.join('.')} of ${value.$step}`;
  if (typeof value.$run === 'string') return 'run id';
  if (Array.isArray(value.$join)) return value.$join.map((v) => shown(v) ?? '').join('');
  return shown(value.uri ?? value.namespace ?? value.brokers) ?? JSON.stringify(value);
}

export function silent(context: BindContext): BindContext {
  const report: Report = () => {};
  return { ...context, report };
}
