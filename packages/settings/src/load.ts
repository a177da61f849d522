import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { settingsError } from './codes.ts';
import { closest } from './suggest.ts';

/**
 * Reads a YAML settings file and checks it against a schema (use strict objects, so that a typo in a key is found).
 * @throws SB-CFG-UNREADABLE, SB-CFG-YAML, SB-CFG-SHAPE; each names file, line and column.
 */
export function loadSettings<S extends z.ZodType>(path: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(read(path), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw settingsError('SB-CFG-YAML', `${path}:${line}:${col}: ${error.message.split('\n')[0]}`);
  }
  if (!isMap(document.contents)) {
    throw settingsError('SB-CFG-YAML', `${path}:1:1: the file is empty or holds no settings`);
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success) return parsed.data;
  // A misspelt key is also a missing one; the misspelling is what helps.
  const { issues } = parsed.error;
  const issue = issues.find((i) => i.code === 'unrecognized_keys') ?? issues[0];
  const { where, message, next } = explain(document, schema, issue);
  const { line, col } = lines.linePos(where);
  throw settingsError('SB-CFG-SHAPE', `${path}:${line}:${col}: ${message}`, next === undefined ? {} : { next });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw settingsError('SB-CFG-UNREADABLE', `${path} cannot be read (${code})`, { cause });
  }
}

type Issue = z.core.$ZodIssue | undefined;

function explain(
  document: Document,
  schema: z.ZodType,
  issue: Issue,
): { where: number; message: string; next?: string } {
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = closest(key, knownKeys(schema, path));
    return {
      where: offsetOf(document, [...path, key]),
      message: `${[...path, key].join('.')} is not a known key`,
      ...(known === undefined ? {} : { next: `Did you mean ${known}? Otherwise remove the key.` }),
    };
  }
  return {
    where: offsetOf(document, path),
    message: `${path.join('.') || 'the file'}: ${issue?.message ?? 'not valid'}`,
  };
}

/** Offset of a key in the text, or of the nearest thing around it when the key is the one that is missing. */
function offsetOf(document: Document, path: readonly string[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const key = isMap(parent) ? parent.items.find((pair) => String(pair.key) === path[depth - 1])?.key : undefined;
    if (isNode(key) && key.range) return key.range[0];
  }
  return 0;
}

function knownKeys(schema: z.ZodType, path: readonly string[]): string[] {
  let current: unknown = schema;
  for (const part of path) current = shapeOf(current)?.[part];
  return Object.keys(shapeOf(current) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  if ('shape' in schema) return schema.shape as Record<string, unknown>;
  return 'unwrap' in schema && typeof schema.unwrap === 'function' ? shapeOf(schema.unwrap()) : undefined;
}
