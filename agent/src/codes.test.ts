import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AGENT_CODES } from './codes.ts';

const reference = readFileSync(new URL('../../docs/reference/agent.md', import.meta.url), 'utf8');

describe('the failure codes of the agent', () => {
  it('stand in the reference, as they are, and no others do', () => {
    const table = reference.slice(reference.indexOf('## Failure codes'));
    const rows = table.split('\n').flatMap((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
      return cells[1]?.startsWith('`SB-') ? [cells.slice(1, 5)] : [];
    });
    const codes = Object.entries(AGENT_CODES).map(([code, entry]) => [
      `\`${code}\``,
      entry.class,
      entry.means,
      entry.next,
    ]);
    expect(rows).toEqual(codes);
  });
});
