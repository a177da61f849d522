import type { IncomingReport } from '@signalbox/bus';
import { Report } from '@signalbox/protocol';
import { open } from '@signalbox/protocol/crypto';
import type { Input, RunState } from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';

/**
 * A report as the sequencer takes it, once it is proven to come from the host and the journal that the plan was made
 * for. Undefined: it says nothing that a run needs.
 * @throws SignalboxError when the report is not to be believed.
 */
export function readReport(state: RunState, incoming: IncomingReport): Input | undefined {
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
  switch (payload.type) {
    case 'accepted':
      return { type: 'accepted', ...tryOf(payload), before: payload.before };
    case 'outcome':
      return { type: 'outcome', ...tryOf(payload), outcome: payload.outcome, durationMs: payload.durationMs };
    case 'refused':
      return { type: 'refused', ...tryOf(payload), failure: payload.failure };
    case 'control':
      return payload.withdrawn && payload.withdrawn.length > 0
        ? { type: 'withdrawn', commands: payload.withdrawn }
        : undefined;
    case 'vote': {
      const { step, round, roundNonce, vote, journalSequence, evidence, why } = payload;
      const said = { step, round, roundNonce, vote, journalSequence, evidence, ...(why === undefined ? {} : { why }) };
      return { type: 'voted', host: host.name, ...said };
    }
  }
}

function tryOf({ step, host, direction, attempt }: Extract<Report, { commandId: string }>) {
  return { step, host, direction, attempt };
}
