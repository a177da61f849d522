import type { JsonObject } from '@signalbox/protocol';
import type { Report } from './diagnostic.ts';
import { type MapNode, textAt } from './node.ts';
import { readNode } from './read-node.ts';
import { runbookJsonSchema, stepsJsonSchema } from './schema/json-schema.ts';
import { readYaml } from './yaml.ts';

/** What reading a runbook and its inclusions shares. */
export interface Loader {
  report: Report;
  /** Texts by file name; every file that is read adds its own. */
  sources: Map<string, string>;
  include: (path: string, from: string) => string | undefined;
}

const schemas: Partial<Record<DocumentKind, JsonObject>> = {};

export type DocumentKind = 'Runbook' | 'Steps';

/** Reads one file as YAML and holds it against the published schema of its kind. Without `kind` either will do. */
export function loadDocument(
  text: string,
  { file, kind: wanted }: { file: string; kind?: DocumentKind },
  report: Report,
): MapNode | undefined {
  let found = false;
  const root = readYaml(text, file, (code, at, what) => {
    found = true;
    report(code, at, what);
  });
  if (root?.kind !== 'map') {
    const message = root ? 'The file is not a mapping of keys.' : 'The file is empty.';
    if (root || !found) report('SB108', root?.at ?? { file, line: 1, column: 1, length: 1 }, { message });
    return undefined;
  }
  const kind = wanted ?? (textAt(root, 'kind') === 'Runbook' ? 'Runbook' : 'Steps');
  schemas[kind] ??= kind === 'Runbook' ? runbookJsonSchema() : stepsJsonSchema();
  readNode(root, schemas[kind], {
    report,
    codes: { unknown: 'SB110', missing: 'SB112', wrong: 'SB113' },
    noun: 'key',
    references: false,
    onUnknown: (key, at, known) => {
      if (!isOn(key) || !known.includes('hosts')) return false;
      report('SB111', at, { message: `\`${key}:\` is no key; hosts are named with \`hosts:\`.` });
      return true;
    },
  });
  return root;
}

function isOn(key: string): boolean {
  return /^(on|true)$/i.test(key);
}
