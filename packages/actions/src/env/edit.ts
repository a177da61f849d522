import { actionError } from '../codes.ts';
import { type EnvLine, renderLine, valueIn } from './parse.ts';

export interface Edits {
  rename: readonly { from: string; to: string }[];
  /** Values as they shall be; secrets among them. */
  set: ReadonlyMap<string, string>;
  remove: readonly string[];
}

/**
 * The file with a table of names applied: lines keep their places, comments and unknown names stay. A name that is not
 * there is no error, so the table can be one for all hosts.
 * @throws SB-ACT-ENV-BLANK, SB-ACT-ENV-CONFLICT, naming names and no values.
 */
export function applyEdits(lines: readonly EnvLine[], { rename, set, remove }: Edits): EnvLine[] {
  let edited = [...lines];
  for (const { from, to } of rename) edited = renamed(edited, from, to);
  for (const [name, value] of set) {
    if (value === '') throw actionError('SB-ACT-ENV-BLANK', `${name} would be empty`);
    const line: EnvLine = { kind: 'set', name, value, text: renderLine(name, value) };
    const at = indexOf(edited, name);
    edited = at < 0 ? [...edited, line] : edited.with(at, line);
  }
  return edited.filter((line) => line.kind === 'text' || !remove.includes(line.name));
}

function renamed(lines: EnvLine[], from: string, to: string): EnvLine[] {
  const at = indexOf(lines, from);
  const [old, already] = [valueIn(lines, from), valueIn(lines, to)];
  if (old === undefined) return lines;
  // `source .env.old` and a template write a blank for a name that is not set, and the service starts with its default.
  if (old === '') throw actionError('SB-ACT-ENV-BLANK', `${from} is empty`);
  if (already !== undefined && already !== old) throw actionError('SB-ACT-ENV-CONFLICT', `${from} and ${to} differ`);
  if (already !== undefined) return lines.toSpliced(at, 1);
  return lines.with(at, { kind: 'set', name: to, value: old, text: renderLine(to, old) });
}

function indexOf(lines: readonly EnvLine[], name: string): number {
  return lines.findIndex((line) => line.kind === 'set' && line.name === name);
}

/** Names that are new, gone, or have another value; for a person, without any value. */
export function changesOf(before: readonly EnvLine[], after: readonly EnvLine[]): string[] {
  const names = new Set([...before, ...after].flatMap((line) => (line.kind === 'set' ? [line.name] : [])));
  return [...names].sort().flatMap((name) => {
    const [was, is] = [valueIn(before, name), valueIn(after, name)];
    if (was === is) return [];
    return [is === undefined ? `-${name}` : was === undefined ? `+${name}` : `~${name}`];
  });
}
