import type { Report } from '@signalbox/protocol';
import type { Stored } from './records.ts';
import type { JournalState } from './state.ts';

/**
 * The report that a record stands for. It is computed from the journal alone, so that the same record gives the same
 * bytes however often it is published.
 * @returns undefined for records that nobody is told of.
 */
export function reportOf(state: JournalState, record: Stored): Report | undefined {
  const base = {
    mesh: state.identity.mesh,
    host: state.identity.host,
    journal: state.identity.journal,
    machine: state.identity.machine,
    journalSequence: record.n,
    sentAtMs: record.atMs,
  };
  switch (record.type) {
    case 'intent':
      return { type: 'accepted', ...base, ...ofCommand(record.command), before: record.before };
    case 'outcome': {
      const intent = state.commands.get(record.commandId)?.intent;
      if (intent === undefined) return undefined;
      const { outcome, startedAtMs, durationMs, outputBytes } = record;
      return { type: 'outcome', ...base, ...ofCommand(intent.command), outcome, startedAtMs, durationMs, outputBytes };
    }
    case 'refused':
      return { type: 'refused', ...base, ...ofCommand(record.command), failure: record.failure };
    case 'control': {
      const { run, epoch, id, control, withdrawn, known, seen, failure } = record;
      const lists = { ...(withdrawn && { withdrawn }), ...(known && { known }) };
      const told = { ...(seen && { seen }), ...(failure && { failure }) };
      return { type: 'control', ...base, run, epoch, controlId: id, control, ...lists, ...told };
    }
    case 'vote': {
      const { run, epoch, step, round, roundNonce, vote, validMs, head, evidence, why } = record;
      const said = { vote, validMs, head, evidence, ...(why === undefined ? {} : { why }) };
      return { type: 'vote', ...base, run, epoch, step, round, roundNonce, ...said };
    }
    default:
      return undefined;
  }
}

function ofCommand(command: {
  id: string;
  run: string;
  step: string;
  direction: 'do' | 'undo';
  attempt: number;
  epoch: number;
}) {
  const { id, run, step, direction, attempt, epoch } = command;
  return { commandId: id, run, step, direction, attempt, epoch };
}
