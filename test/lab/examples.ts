import { parse } from 'yaml';

/** What the head of a runbook says that a file of parameters looks like; nothing where it needs none. */
export function exampleOf(text: string): object {
  const [, lines = ''] = /^# \w+\.yaml, for example:\n((?:# {3}.*\n)+)/m.exec(text) ?? [];
  return parse(lines.replaceAll(/^#/gm, '')) ?? {};
}
