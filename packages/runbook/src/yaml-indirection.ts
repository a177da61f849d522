import type { CST } from 'yaml';
import type { Place, Report } from './diagnostic.ts';

/**
 * Anchors, aliases, tags and directives are refused where they stand: with them the meaning of a line is somewhere else,
 * and a reviewer does not see it. They are found among the tokens, because the tree no longer says where they stood.
 */
export function refuseIndirection(tokens: readonly CST.Token[], place: Place, report: Report): void {
  const waiting: unknown[] = [tokens];
  while (waiting.length > 0) {
    const token = waiting.pop();
    if (typeof token !== 'object' || token === null) continue;
    if (isToken(token)) refuse(token, place, report);
    // One by one: as arguments of one call, the tokens of a large file exhaust the stack.
    for (const part of Object.values(token)) if (typeof part === 'object') waiting.push(part);
  }
}

interface Token {
  type: string;
  offset: number;
  source: string;
}

function isToken(value: object): value is Token {
  return 'type' in value && 'offset' in value && 'source' in value && typeof value.source === 'string';
}

function refuse({ type, offset, source }: Token, place: Place, report: Report): void {
  const at = place(offset, offset + source.length);
  if (type === 'anchor') report('SB106', at, { message: `An anchor, \`${source}\`.` });
  if (type === 'alias') report('SB106', at, { message: `An alias, \`${source}\`.` });
  if (type === 'tag') report('SB107', at, { message: `A tag, \`${source}\`.` });
  if (type === 'directive') report('SB107', at, { message: `A directive, \`${source}\`.` });
}
