import type { CodeCatalogue } from './failure.ts';

/**
 * Everything that an agent refuses, and everything that can go wrong inside one. It stands here and not with the agent
 * because these codes cross the wire: an operator's CLI explains them, and it does not import the agent.
 */
export const AGENT_CODES = {
  'SB-AGENT-STATE-DIR': {
    class: 'terminal',
    means: 'The state folder of the agent cannot be made or written.',
    next: 'Check the path and the owner of stateDir.',
  },
  'SB-JOIN-TOKEN': {
    class: 'terminal',
    means: 'What was given is no token, or one that has expired. This host has not joined.',
    next: 'Ask an administrator of the mesh for a new one: `signalbox enroll HOST`.',
  },
  'SB-JOIN-FILE': {
    class: 'terminal',
    means: 'A file of this host could not be made. What is there already is never written over.',
    next: 'If this host belongs to a mesh, leave it; else move away what is named, and join with a new token.',
  },
  'SB-JOURNAL-MISSING': {
    class: 'terminal',
    means: 'There is no journal in this state folder.',
    next: 'Give the stateDir of the agent with --state, or its configuration with --config.',
  },
  'SB-JOURNAL-READ': {
    class: 'terminal',
    means: 'The journal cannot be read.',
    next: 'Check the owner and the permissions of the state folder.',
  },
  'SB-JOURNAL-DAMAGED': {
    class: 'terminal',
    means:
      'The journal is damaged before its last record. The agent accepts no command: it cannot know what it has done.',
    next: 'Keep a copy of the journal, see `signalbox-agent journal` for what is readable, and decide the open runs by hand; then move the journal away, which makes this a new host for the mesh.',
  },
  'SB-JOURNAL-WRITE': {
    class: 'terminal',
    means: 'A record could not be brought to disk (full disk, failed fsync). The agent accepts no further command.',
    next: 'Make room or replace the disk, then start the agent again: what was on disk decides.',
  },
  'SB-JOURNAL-IDENTITY': {
    class: 'terminal',
    means: 'The journal was made by another host, mesh or machine: it was copied, or the host was cloned.',
    next: 'On a clone, move the journal away and enrol the host under a name of its own.',
  },
  'SB-AGENT-LOCKED': {
    class: 'terminal',
    means: 'Another agent on this machine uses the same state folder.',
    next: 'Stop the other agent, or give this one a stateDir of its own.',
  },
  'SB-AGENT-ID': {
    class: 'terminal',
    means: 'The id of a command does not follow from its run, step, host, direction and attempt.',
    next: 'Find out which program sent it; nothing was done.',
  },
  'SB-AGENT-ID-CONFLICT': {
    class: 'unknown',
    means: 'A command came with the id of an earlier one, but asks for something else [I1].',
    next: 'Compare the two in the run log and in `signalbox-agent journal`; the earlier one stands.',
  },
  'SB-AGENT-ADDRESS': {
    class: 'terminal',
    means: 'A message is for another mesh or another host.',
    next: 'Find out who publishes on the subject of this host; nothing was done.',
  },
  'SB-AGENT-JOURNAL': {
    class: 'terminal',
    means: 'A command was planned for another journal: the agent was reinstalled since [D2].',
    next: 'Find out what the old installation did, then plan again.',
  },
  'SB-AGENT-MACHINE': {
    class: 'terminal',
    means: 'A command was planned for another machine that has the same name [D2].',
    next: 'Find out which of the two hosts is meant, then plan again.',
  },
  'SB-AGENT-PROOF': {
    class: 'terminal',
    means:
      "A command does not belong to a plan that an operator has signed; this host takes no coordinator's word for it.",
    next: 'Look in the run log who started the run, and whether the certificate of that person is still good (`signalbox certify`). When nobody did, somebody else has the key of a coordinator.',
  },
  'SB-AGENT-EPOCH': {
    class: 'retryable',
    means: 'A message comes from a leader that has been followed by another one [I6]. Nothing was done.',
    next: 'Nothing: the present leader makes a new attempt of what is still wanted.',
  },
  'SB-AGENT-NONCE': {
    class: 'terminal',
    means: 'Two leaders claim the same epoch of a run [I6].',
    next: 'Check that the run log is not shared between two meshes; the leader that was heard first stands.',
  },
  'SB-AGENT-RUN-CLOSED': {
    class: 'terminal',
    means: 'A command came for a run that is closed.',
    next: 'Nothing: it was late, and nothing was done.',
  },
  'SB-AGENT-VOID': {
    class: 'terminal',
    means: 'A command was withdrawn, or a later attempt or the undo of its step came first [D2].',
    next: 'Nothing: it was not started, and never will be.',
  },
  'SB-AGENT-LATE': {
    class: 'retryable',
    means:
      'A command reached its moment after which it must not be started [I7]; it was not, and is asked for anew a few times.',
    next: 'When it stays so: find out why the host is away or busy, then `signalbox retry`.',
  },
  'SB-CLOCK': {
    class: 'retryable',
    means: "The host's clock cannot be compared with the coordinator's, or is too far away from it [I7].",
    next: 'Check that a coordinator runs and that the host keeps time (chrony, timesyncd), then retry.',
  },
  'SB-AGENT-SEALED': {
    class: 'terminal',
    means: 'Undo was asked in a run that has crossed a point of no return [I3]. Nothing was undone.',
    next: 'Compare the run log with `signalbox-agent journal`: whoever asked does not know of the crossing.',
  },
  'SB-AGENT-VOTED': {
    class: 'retryable',
    means: 'The host has voted for a point of no return and has not been told what came of it: it undoes nothing [D4].',
    next: 'Nothing: the coordinator releases it and asks again.',
  },
  'SB-AGENT-VOTE': {
    class: 'terminal',
    means: 'A command stands behind a point of no return for which this host has not voted. Nothing was done [D4].',
    next: 'Compare the run log with `signalbox-agent journal`; the journal of this host may be an old one.',
  },
  'SB-AGENT-GUARD': {
    class: 'terminal',
    means:
      'A guard of the point of no return did not hold any more when the first step behind it was about to begin. Nothing was done.',
    next: 'Find out what came back (the message names the value), stop it, then `signalbox retry` the step: the guards are looked at again.',
  },
  'SB-AGENT-GUARD-UNSEEN': {
    class: 'retryable',
    means:
      'A guard of the point of no return could not be looked at when the first step behind it was to begin. Nothing was done.',
    next: 'Nothing at first: it is asked again by itself. When it stays so, see to it that what the message names answers, then `signalbox resume`.',
  },
  'SB-AGENT-UNKNOWN-ACTION': {
    class: 'terminal',
    means: 'The agent does not have this action.',
    next: 'Upgrade the agent, or correct the runbook.',
  },
  'SB-AGENT-UNKNOWN-PROBE': {
    class: 'terminal',
    means: 'The agent does not have this probe.',
    next: 'Upgrade the agent, or correct the runbook.',
  },
  'SB-AGENT-ACTION-VERSION': {
    class: 'terminal',
    means: 'The plan was made for another version of this action [D5].',
    next: 'Plan again, or bring the agent to the version of the plan.',
  },
  'SB-AGENT-INPUT': {
    class: 'terminal',
    means: 'What stands under `with` does not fit this action or probe.',
    next: 'Correct the runbook; `signalbox check` shows the line.',
  },
  'SB-AGENT-NO-UNDO': {
    class: 'terminal',
    means: 'Undo was asked of an action that has none.',
    next: 'Take the step back by hand, then `signalbox resolve`.',
  },
  'SB-AGENT-TIMEOUT': {
    class: 'retryable',
    means: 'A step, a check or a sample did not end in its time and was stopped.',
    next: 'Look at its output; give it more time, or find out what it waited for.',
  },
  'SB-AGENT-KILLED': {
    class: 'terminal',
    means: 'A step was stopped because the coordinator asked for it.',
    next: 'See the run log for who asked and why.',
  },
  'SB-AGENT-INTERRUPTED': {
    class: 'unknown',
    means: 'The agent or its host went down while a step ran. It is not run again; its probe was asked [I5].',
    next: 'If the probe could not tell: look at the host, then `signalbox resolve --as succeeded|not-done`.',
  },
  'SB-AGENT-EXIT-LOST': {
    class: 'unknown',
    means:
      'A process of a step went on without anybody who could see its end: the helper that starts processes was ended.',
    next: 'Its probe was asked; if it could not tell, look at the host, then `signalbox resolve --as succeeded|not-done`.',
  },
  'SB-AGENT-KEEPER': {
    class: 'retryable',
    means: 'The helper that starts the processes of steps could not be started. Nothing was run.',
    next: 'Look for a full process table or disk on the host, and whether stateDir can be written; then `signalbox retry`.',
  },
  'SB-AGENT-MESSENGER': {
    class: 'retryable',
    means: 'The process that speaks to the mesh for this host is not there, or could not send something.',
    next: 'Look at `systemctl status signalbox-agent` on the host. What is owed is kept and sent when it is back.',
  },
  'SB-AGENT-NO-MESSENGER': {
    class: 'terminal',
    means: 'The settings say that another process speaks to the mesh, and there is no socket for it.',
    next: 'Start signalbox-agent.service, which brings it; or say `privileges: root`, and this process speaks to the network.',
  },
  'SB-AGENT-UNIT': {
    class: 'retryable',
    means: 'systemd gave a process of a step no transient unit. Nothing was run.',
    next: 'Look at `systemctl status dbus system-signalbox.slice` on the host, then `signalbox retry`; `stepUnits: false` in agent.yaml does without.',
  },
  'SB-AGENT-ACTION-BROKE': {
    class: 'terminal',
    means: 'An action or a probe broke with an error that it does not declare.',
    next: 'This is a mistake in the action: report it with the message.',
  },
  'SB-AGENT-KEY': {
    class: 'terminal',
    means: 'The key of a host could not be replaced or withdrawn there. Nothing was changed.',
    next: 'Read the message; `signalbox hosts rotate HOST` may be said again.',
  },
  'SB-SECRET-MISSING': {
    class: 'terminal',
    means: 'A secret that is named is not on this host.',
    next: "Set the variable in the agent's environment before it starts, or put the file in place.",
  },
  'SB-SECRET-STORE': {
    class: 'retryable',
    means: 'AWS Secrets Manager cannot be reached from this host, or refuses its agent.',
    next: 'Check region and credentials of the agent (/etc/signalbox/agent.env, or the role of the machine) and its policy.',
  },
  'SB-SECRET-SEALED': {
    class: 'terminal',
    means: 'A sealed secret does not open on this host: it was sealed to another one, or a byte of it was changed.',
    next: 'Seal it again to this host: `signalbox seal --host HOST`.',
  },
  'SB-SECRET-MODE': {
    class: 'terminal',
    means: "A secret's file can be read by others, or belongs to somebody else.",
    next: 'chmod 0600 the file and let root or the user of the agent own it.',
  },
} as const satisfies CodeCatalogue;
