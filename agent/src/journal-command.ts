import { type JournalView, readJournal } from './journal/read-offline.ts';
import type { Stored } from './journal/records.ts';
import { runOf } from './journal/state.ts';
import { journalPath } from './state-dir.ts';
import { escapeControl } from './text.ts';

export interface JournalQuestion {
  stateDir: string;
  run: string | undefined;
  json: boolean;
}

/**
 * `signalbox-agent journal`: what this host was asked, began and ended, for the night when the mesh is gone.
 * @returns 1 when the journal is damaged, because what is shown is then not all.
 */
export function showJournal({ stateDir, run, json }: JournalQuestion, print: (line: string) => void): number {
  const path = journalPath(stateDir);
  const view = readJournal(path);
  const records = view.records.filter((record) => run === undefined || runOf(record, view.state) === run);
  if (json) print(JSON.stringify({ ...view.state.identity, records, torn: view.torn, damage: view.damage ?? null }));
  else for (const line of lines(path, view, records)) print(line);
  return view.damage === undefined ? 0 : 1;
}

function* lines(path: string, view: JournalView, records: Stored[]): Generator<string> {
  const { mesh, host, journal, machine } = view.state.identity;
  yield `JOURNAL ${path}   mesh ${mesh}   host ${host}   journal ${journal}   machine ${machine}`;
  for (const record of records) {
    const told = describe(record);
    if (told !== undefined) yield escapeControl(`${String(record.n).padStart(6)}  ${timeOf(record)}  ${told}`);
  }
  const open = [...view.state.commands.values()].filter(({ state }) => state === 'running');
  for (const { id } of open) yield escapeControl(`OPEN    ${id} was begun and has no outcome yet`);
  const owed = view.state.unpublished.size;
  if (owed > 0) yield `OWED    ${owed} ${owed === 1 ? 'report is' : 'reports are'} not in the stream yet`;
  if (view.torn) yield 'TORN    the last record is incomplete; nobody was told of it';
  if (view.damage) yield `DAMAGED line ${view.damage.line}: ${view.damage.why}. What follows it is not shown.`;
}

function describe(record: Stored): string | undefined {
  switch (record.type) {
    case 'created':
      return 'created';
    case 'opened':
      return `agent started   version ${record.version}   boot ${record.boot}`;
    case 'intent':
      return `began     ${record.command.id}   ${record.command.action} ${JSON.stringify(record.command.with)}`;
    case 'process':
      return undefined;
    case 'outcome': {
      const { outcome } = record;
      const why = outcome.status === 'succeeded' ? '' : `   ${outcome.failure.code} ${outcome.failure.message}`;
      return `${outcome.status.padEnd(9)} ${record.commandId}   ${Math.round(record.durationMs)} ms${why}`;
    }
    case 'refused':
      return `refused   ${record.command.id}   ${record.failure.code} ${record.failure.message}`;
    case 'control': {
      const withdrawn = record.withdrawn?.length ? `   withdrawn: ${record.withdrawn.join(' ')}` : '';
      return `${record.control.padEnd(9)} ${record.run}   epoch ${record.epoch}${withdrawn}`;
    }
    case 'vote': {
      const why = record.why ?? record.evidence.find((found) => found.why !== undefined)?.why;
      const said = why === undefined ? '' : `   ${why}`;
      return `voted ${record.vote.padEnd(3)} ${record.run}   ${record.step}   round ${record.round}${said}`;
    }
    case 'published':
      return undefined;
    case 'closed-run':
      return `closed    ${record.run}   (its records were compacted)`;
  }
}

const timeOf = ({ atMs }: Stored): string => new Date(atMs).toISOString().replace('T', ' ').slice(0, 23);
