import type { Delivery } from '@signalbox/bus';
import { Control } from '@signalbox/protocol';
import { open } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import { agentError } from '../codes.ts';
import { compact } from '../journal/compact.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordBody } from '../journal/records.ts';
import type { JournalState } from '../journal/state.ts';
import type { Log, NoteProblem, Workbench } from '../ports.ts';
import { failureOf } from './ask.ts';
import type { CommandLoop } from './commands.ts';
import { authorityFailure, hostFailure } from './judge.ts';
import type { Publisher } from './publisher.ts';
import type { Runner } from './runner.ts';
import type { Votes } from './votes.ts';

export interface ControlPorts {
  journal: Journal;
  log: Log;
  commands: CommandLoop;
  runner: Runner;
  votes: Votes;
  publisher: Publisher;
  workbench: Workbench;
  problem: NoteProblem;
  trusts: (publicKey: string) => boolean;
}

/**
 * Control has its own lane and never waits for a slot. What it decides is on disk before it is answered, so a withdrawn
 * command stays withdrawn and an old leader stays old, whatever crashes [D2, I6].
 */
export function createControlHandler(ports: ControlPorts): (delivery: Delivery) => Promise<void> {
  const { journal, log, commands, runner, votes, publisher, workbench, problem, trusts } = ports;

  return async function handle(delivery) {
    if (journal.failure !== undefined) return;
    const control = read(delivery);
    if (control === undefined) return;
    if (control.type === 'vote') return await votes.cast(control, delivery);
    const answered = journal.state.controls.get(control.id);
    const answer = answered ?? answerTo(control, journal.state);
    const record = answered ?? journal.append(answer);
    await journal.sync();
    passPoint('agent.control.synced');
    delivery.ack();
    if (answered === undefined && answer.failure === undefined) act(control);
    publisher.publish(record);
    log('info', `control ${control.type}`, { control: control.id, run: control.run, epoch: control.epoch });
  };

  function read(delivery: Delivery): Control | undefined {
    try {
      const { payload } = open(delivery.data, { kind: 'control', schema: Control, trusts });
      const failure = refusal(payload);
      if (failure === undefined) return payload;
      problem(failure, { control: payload.id });
    } catch (error) {
      problem(failureOf(error), { subject: delivery.id });
    }
    delivery.terminate();
    return undefined;
  }

  function refusal(control: Control) {
    const { mesh, host } = control;
    const { identity } = journal.state;
    if (mesh !== identity.mesh || host !== identity.host) {
      return agentError('SB-AGENT-ADDRESS', `the control is for ${mesh}/${host}`).failure;
    }
    const failure = hostFailure(journal.state, control);
    // A fence of somebody who does not lead any more is answered: a log that has lost its end is found out by it [D3].
    return failure ?? (control.type === 'fence' ? undefined : authorityFailure(journal.state, control));
  }

  function act(control: Answered): void {
    if (control.type === 'kill') {
      const { failure } = agentError('SB-AGENT-KILLED', `stopped by the coordinator: ${control.reason}`);
      for (const id of control.commands) runner.stop(id, failure);
    }
    commands.reconsider();
    if (control.type === 'closed') forget(control.run);
  }

  function forget(run: string): void {
    if (![...journal.state.commands.values()].some((known) => known.run === run && known.state === 'running')) {
      workbench.discard(run);
    }
    const runs = compact(journal);
    if (runs.length > 0) log('info', 'journal compacted', { runs });
  }
}

/** Answered at once; a vote has to look at the host first. */
type Answered = Exclude<Control, { type: 'vote' }>;

/** What is journaled and reported for a control. Withdrawn is what has not begun: it never will. */
export function answerTo(control: Answered, state: JournalState): Extract<RecordBody, { type: 'control' }> {
  const { type, id, run, epoch, nonce, head } = control;
  const base = { type: 'control' as const, control: type, id, run, epoch, nonce, head };
  switch (control.type) {
    case 'void':
    case 'kill': {
      const withdrawn = control.commands.filter((command) => state.commands.get(command)?.intent === undefined);
      return { ...base, reason: control.reason, withdrawn };
    }
    case 'fence': {
      const known = [...state.commands.values()].filter((command) => command.run === run).map((command) => command.id);
      const before = state.runs.get(run);
      const seen = before && { seen: { epoch: before.epoch, head: before.head } };
      const failure = authorityFailure(state, control);
      return { ...base, known, ...seen, ...(failure && { failure }) };
    }
    case 'release':
    case 'seal':
      return { ...base, round: control.round };
    case 'closed':
      return { ...base, reason: control.outcome };
  }
}
