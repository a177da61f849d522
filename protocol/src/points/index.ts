import { type Channel, channel } from 'node:diagnostics_channel';

/**
 * The moments at which a death of the process would hurt most, each between two steps that have to be taken together.
 * A name says what has just been done, or is about to be done. One list: the programs pass these points, the kill campaign
 * (`npm run chaos`) strikes at them.
 */
export const POINTS = {
  'agent.command.received': 'a command is verified, and nothing is known of it on this host yet',
  'agent.intent.written': 'the intent is in the journal, and not known to be on disk',
  'agent.intent.synced': 'the intent is on disk, and the command not acknowledged',
  'agent.command.acknowledged': 'the command is acknowledged, and nothing has been started',
  'agent.process.starting': 'the journal says that a process may have been started',
  'agent.process.started': 'a process runs, and the journal does not name it yet',
  'agent.step.ended': 'the action is over, and nothing about it is in the journal',
  'agent.outcome.written': 'the outcome is in the journal, and not known to be on disk',
  'agent.outcome.synced': 'the outcome is on disk, and nobody has been told',
  'agent.report.sending': 'a report is about to be published',
  'agent.report.stored': 'the stream has the report, and the journal does not know it',
  'agent.recovery.begun': 'a step that was interrupted is being looked into',
  'agent.recovery.probed': 'the probe of an interrupted step has answered, and nothing about it is in the journal',
  'agent.control.synced': 'a control is on disk, and neither acknowledged nor acted on',
  'coordinator.plan.stored': 'the plan of a new run is stored, and the run is not in the log',
  'coordinator.run.led': 'the new epoch is in the log, and no host knows it',
  'coordinator.entry.appending': 'a decision is taken, and not in the log',
  'coordinator.entry.appended': 'a decision is in the log, and nothing has followed from it',
  'coordinator.request.decided': 'what an operator asked for is done, and not answered',
  'coordinator.command.sending': 'a command is about to be published',
  'coordinator.command.stored': 'the stream has the command, and its sender does not know it',
  'coordinator.report.received': 'a report has come, and nothing was decided on it',
  'coordinator.report.decided': 'what follows from a report is in the log, and the report is not acknowledged',
} as const;
export type Point = keyof typeof POINTS;

const channels = new Map<string, Channel>(Object.keys(POINTS).map((point) => [point, channel(channelOf(point))]));

/** The diagnostics channel on which a point is published. */
export function channelOf(point: string): string {
  return `signalbox:${point}`;
}

/** Says that the program is there now. It costs nothing unless somebody in this process has subscribed. */
export function passPoint(point: Point): void {
  channels.get(point)?.publish(undefined);
}
