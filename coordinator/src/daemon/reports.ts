import type { IncomingReport } from '@signalbox/bus';
import { Report } from '@signalbox/protocol';
import { open } from '@signalbox/protocol/crypto';
import type { Input, RunState } from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';

/**
 * A report that is proven to come from the host and the journal that the plan was made for.
 * @throws SignalboxError when the report is not to be believed.
 */
export function readReport(state: RunState, incoming: IncomingReport): Report {
  const host = state.plan.hosts.find((h) => h.name === incoming.host);
  if (!host) throw coordinatorError('SB-COORD-HOST', `${incoming.host} has no part in ${state.run}`);
  const { payload } = open(incoming.data, { kind: 'report', schema: Report, trusts: (key) => key === host.key });
  const { mesh, run, journal, machine } = payload;
  if (mesh !== state.mesh || run !== state.run || payload.host !== host.name) {
    throw coordinatorError(
      'SB-COORD-MESH',
      `a report of ${payload.host} for ${run} came as one of ${incoming.host} for ${state.run}`,
    );
  }
  if (journal !== host.journal || machine !== host.machine) {
    throw coordinatorError(
      'SB-COORD-HOST',
      `${host.name} is not the machine that the plan was made for (another journal)`,
    );
  }
  return payload;
}

/**
 * A report as the sequencer takes it, with its text as the host sealed it. Undefined: it says nothing that a run needs.
 */
export function inputOf(report: Report, sealed: string | undefined): Input | undefined {
  const from = sealed === undefined ? {} : { sealed };
  switch (report.type) {
    case 'accepted':
      return { type: 'accepted', ...tryOf(report), before: report.before, ...from };
    case 'outcome':
      return { type: 'outcome', ...tryOf(report), outcome: report.outcome, durationMs: report.durationMs, ...from };
    case 'refused':
      return { type: 'refused', ...tryOf(report), failure: report.failure };
    case 'control': {
      const { withdrawn = [] } = report;
      return withdrawn.length > 0 ? { type: 'withdrawn', commands: withdrawn } : undefined;
    }
    case 'vote': {
      const { step, host, round, roundNonce, vote, journalSequence, evidence, why } = report;
      const said = { step, round, roundNonce, vote, journalSequence, evidence, ...(why === undefined ? {} : { why }) };
      return { type: 'voted', host, ...said };
    }
  }
}

/**
 * What a refusal gives away of a host that has been told more than the log has: it obeys somebody later than the leader
 * whose log this is, or holds a run for closed that is not.
 */
export function contradictionOf(state: RunState, report: Report): string | undefined {
  if (report.type !== 'refused') return undefined;
  const { code, message } = report.failure;
  const ofThisLeader = report.epoch === state.epoch && (code === 'SB-AGENT-EPOCH' || code === 'SB-AGENT-NONCE');
  if (!ofThisLeader && code !== 'SB-AGENT-RUN-CLOSED') return undefined;
  return `has refused ${report.commandId} and knows more than the log: ${message}`;
}

function tryOf({ step, host, direction, attempt }: Extract<Report, { commandId: string }>) {
  return { step, host, direction, attempt };
}
