import { readFileSync } from 'node:fs';
import { agentError } from '../codes.ts';
import { type Damage, scan } from './line.ts';
import type { Stored } from './records.ts';
import { apply, emptyState, type JournalState } from './state.ts';

export interface JournalView {
  records: Stored[];
  state: JournalState;
  torn: boolean;
  damage: Damage | undefined;
}

/**
 * Reads a journal without opening it: changes nothing, needs no mesh and no lock, and shows what is readable of a damaged
 * one. Beside a running agent the last record may be half written.
 * @throws SB-JOURNAL-MISSING, SB-JOURNAL-READ
 */
export function readJournal(path: string): JournalView {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw agentError('SB-JOURNAL-MISSING', `there is no ${path}`);
    throw agentError('SB-JOURNAL-READ', `${path}: ${code}`, { cause });
  }
  const { records, torn, damage } = scan(bytes);
  const state = emptyState();
  for (const record of records) apply(state, record);
  return { records, state, torn, damage };
}
