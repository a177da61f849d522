import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { settingsError } from './codes.ts';
import { closest } from './suggest.ts';

/**
 * Reads a YAML settings file and checks it against a schema (use strict objects, so that a typo in a key is found).
 * @throws SB-CFG-READ, SB-CFG-EMPTY, SB-CFG-YAML, SB-CFG-KEY, SB-CFG-VALUE; each names file, line and column.
 */
export function loadSettings<S extends z.ZodType>(path: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(read(path), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return path;
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error) throw settingsError('SB-CFG-YAML', `${at(error.pos[0])}: ${error.message.split('\n')[0]}`);
  if (document.contents === null) throw settingsError('SB-CFG-EMPTY', `${path} is empty`);
  refuseAliases(document, at);
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success) throw explain(parsed.error.issues, { document, at, schema });
  return parsed.data;
}

/** A few lines of them can stand for more than fits into memory, and settings have no use for them. @throws SB-CFG-YAML */
function refuseAliases(document: Document.Parsed, at: Place['at']): void {
  visit(document, {
    Alias(_, { range, source }) {
      throw settingsError('SB-CFG-YAML', `${at(range?.[0])}: *${source} stands for something else; write it out`);
    },
  });
}

/** A path as a settings file means it: relative to the file, not to where the program was started. */
export function besideFile(settingsFile: string, path: string): string {
  return resolve(dirname(resolve(settingsFile)), path);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw settingsError('SB-CFG-READ', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

interface Place {
  document: Document.Parsed;
  at: (offset: number | undefined) => string;
  schema: z.ZodType;
}

/** The first problem; a misspelt key comes before the value that is missing because of it. */
function explain(issues: readonly z.core.$ZodIssue[], { document, at, schema }: Place): Error {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const near = closest(key, knownKeys(schema, path));
    const message = `${at(keyOffset(document, path, key))}: unknown key ${[...path, key].join('.')}`;
    return settingsError('SB-CFG-KEY', message, near === undefined ? {} : { next: `Did you mean ${near}?` });
  }
  const name = path.join('.') || 'the file';
  const node = nodeAt(document, path);
  const missing = node === undefined ? 'is missing: ' : '';
  return settingsError('SB-CFG-VALUE', `${at(node?.range?.[0])}: ${name} ${missing}${issue?.message}`);
}

function nodeAt(document: Document.Parsed, path: readonly string[]): Node | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : undefined;
}

function keyOffset(document: Document.Parsed, path: readonly string[], key: string): number | undefined {
  const map = nodeAt(document, path);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
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
