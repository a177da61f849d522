import type { JsonObject } from '@signalbox/protocol';
import { collector, type Diagnostic, type Span } from './diagnostic.ts';
import { type Entry, entriesOf, fromJson, type Node } from './node.ts';
import { readYaml } from './yaml.ts';

/** Values for parameters, each with the place where it was given. */
export interface ParamValues {
  kind: 'params';
  values: ReadonlyMap<string, Entry>;
}

/** Reads a parameter file: one mapping of names to values, by the same YAML rules as a runbook. */
export function readParamFile(
  text: string,
  { file }: { file: string },
): { params?: ParamValues; diagnostics: Diagnostic[] } {
  const { report, diagnostics } = collector();
  const root = readYaml(text, file, report);
  if (root && root.kind !== 'map')
    report('SB108', root.at, { message: 'A parameter file is a mapping of names to values.' });
  if (diagnostics.some((d) => d.severity === 'error')) return { diagnostics };
  return { params: { kind: 'params', values: new Map(entriesOf(root)) }, diagnostics };
}

/** `-p name=value` after a file: the later word wins. */
export function withParams(params: ParamValues | undefined, given: JsonObject): ParamValues {
  return { kind: 'params', values: new Map([...(params?.values ?? []), ...paramsOf(given).values]) };
}

export function paramsOf(given: JsonObject): ParamValues {
  const values = Object.entries(given).map(([name, value]): [string, Entry] => {
    const at: Span = { file: `-p ${name}`, line: 1, column: 1, length: 1 };
    return [name, { key: at, value: asTyped(fromJson(value, at)) }];
  });
  return { kind: 'params', values: new Map(values) };
}

export function isParamValues(params: ParamValues | JsonObject): params is ParamValues {
  return params.kind === 'params' && params.values instanceof Map;
}

/** A command line has only text: `-p count=3` and `-p fast=true` mean what the declared type says. */
function asTyped(node: Node): Node {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return node;
  const { text } = node;
  if (text === 'true' || text === 'false') return { ...node, plain: true, value: text === 'true' };
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { ...node, plain: true, value: Number(text) };
  return node;
}
