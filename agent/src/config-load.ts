import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type KeyPair, keyPairFromSeed } from '@signalbox/protocol/crypto';
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { agentError } from './codes.ts';
import { AgentConfig } from './config.ts';

/**
 * Reads agent.yaml. One clear error, with path, line and column; nothing else is touched.
 * @throws SB-CFG-*
 */
export function loadConfig(path: string): AgentConfig {
  const text = readText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return path;
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error) throw agentError('SB-CFG-YAML', `${at(error.pos[0])}: ${error.message.split('\n')[0]}`);
  if (document.contents === null) throw agentError('SB-CFG-EMPTY', `${path} is empty`);
  const parsed = AgentConfig.safeParse(document.toJS());
  if (!parsed.success) throw explain(parsed.error, { document, at });
  const from = (file: string) => resolve(dirname(resolve(path)), file);
  return { ...parsed.data, seedFile: from(parsed.data.seedFile), stateDir: from(parsed.data.stateDir) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw agentError('SB-CFG-READ', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

interface Place {
  document: Document.Parsed;
  at: (offset: number | undefined) => string;
}

/** The first problem in the order of the file, unknown keys before the values that are missing because of them. */
function explain(error: z.ZodError, { document, at }: Place): Error {
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = path[0] === 'trust' ? ['coordinators'] : Object.keys(AgentConfig.shape);
    const near = nearest(key, known);
    const next = near && `Did you mean ${near}?`;
    const message = `${at(keyOffset(document, path, key))}: unknown key ${[...path, key].join('.')}`;
    return agentError('SB-CFG-KEY', message, next ? { next } : {});
  }
  const name = path.join('.') || 'the file';
  const node = nodeAt(document, path);
  const missing = node === undefined ? 'is missing: ' : '';
  return agentError('SB-CFG-VALUE', `${at(node?.range?.[0])}: ${name} ${missing}${issue?.message}`);
}

function nodeAt(document: Document.Parsed, path: string[]): Node | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : undefined;
}

function keyOffset(document: Document.Parsed, path: string[], key: string): number | undefined {
  const map = nodeAt(document, path);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function nearest(word: string, known: string[]): string | undefined {
  const best = known.map((other) => ({ other, far: distance(word, other) })).sort((a, b) => a.far - b.far)[0];
  return best && best.far <= Math.max(2, word.length / 3) ? best.other : undefined;
}

/** Levenshtein's distance: how many characters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The agent's identity. Its file is as good as the host, so nobody else may read it. @throws SB-CFG-SEED, SB-CFG-SEED-MODE */
export function loadSeed(path: string): KeyPair {
  let text: string;
  let mode: number;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw agentError('SB-CFG-SEED', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  if ((mode & 0o077) !== 0) {
    throw agentError('SB-CFG-SEED-MODE', `${path} has mode 0${(mode & 0o777).toString(8)}; it must be 0600`);
  }
  try {
    return keyPairFromSeed(text);
  } catch {
    // Without the reason: it could quote what is in the file.
    throw agentError('SB-CFG-SEED', `${path} holds no nkey seed`);
  }
}
