import { type CodeCatalogue, failWith } from '@signalbox/protocol';

export const SEQUENCER_CODES = {
  'SB-RUN-LOG': {
    class: 'terminal',
    means: 'A run log says something that cannot have happened, or in a form that this version does not know.',
    next: 'Do not lead this run with this version. Upgrade the coordinator; if the versions are equal, keep the log and report it.',
  },
  'SB-RUN-ENDED': {
    class: 'terminal',
    means: 'The run has ended; nothing more can be asked of it.',
    next: 'Look at `signalbox report RUN`. What it did can be taken back only by a new run.',
  },
  'SB-RUN-SEALED': {
    class: 'terminal',
    means: 'A point of no return is behind the run: what came before it is never taken back.',
    next: 'Go forward: `signalbox retry` or `resolve` the step that holds the run, or `signalbox abort RUN --leave`.',
  },
  'SB-RUN-STATE': {
    class: 'terminal',
    means: 'The run, or the step, is not in a state in which this can be done.',
    next: 'See `signalbox status RUN --why` for what is possible now.',
  },
  'SB-RUN-NO-STEP': {
    class: 'terminal',
    means: 'The run has no such step, or the step is on several hosts and none was named.',
    next: 'See `signalbox status RUN` for the steps; name the host with --host.',
  },
  'SB-RUN-GUARDED': {
    class: 'terminal',
    means:
      'This step guards a point of no return or an exclusive resource, or is an approval: nobody may skip it or declare it done.',
    next: 'Make it pass with fresh proof, have it approved, or take the run back with `signalbox abort RUN --undo`.',
  },
  'SB-RUN-NEEDS-DECISION': {
    class: 'terminal',
    means: 'Resuming alone changes nothing: a step has failed and somebody must say what becomes of it.',
    next: 'Use `signalbox retry`, `skip` or `resolve` on the named step, or `signalbox abort RUN --undo`.',
  },
  'SB-APPROVE-REFUSED': {
    class: 'terminal',
    means: 'This person may not give this approval: wrong role, the submitter, or has given it already.',
    next: 'Somebody else must approve; `signalbox status RUN` says who is needed.',
  },
  'SB-APPROVE-REJECTED': {
    class: 'terminal',
    means: 'An approver said no.',
    next: 'Talk to them. Then `signalbox resume RUN` asks again, `signalbox abort RUN --undo` takes everything back.',
  },
  'SB-ABORTED': {
    class: 'terminal',
    means: 'An operator ended the run.',
    next: 'Nothing, if all was taken back; else the report names what is left.',
  },
  'SB-UNDONE-TO': {
    class: 'terminal',
    means: 'The run has been taken back as far as `abort --undo --to` said, and stands there.',
    next: '`signalbox resume RUN` takes back the rest as well, `signalbox abort RUN --leave` ends the run as it is.',
  },
  'SB-AGENT-SILENT': {
    class: 'unknown',
    means:
      'A host has not answered while it ran a step. It may or may not have been done; it will not be run again blindly.',
    next: 'Bring the host back: its journal and the probe then decide. Or look by hand and `signalbox resolve`.',
  },
  'SB-STEP-NO-REPORT': {
    class: 'unknown',
    means: 'The time for a step is over and no report has come.',
    next: 'Look at the agent on that host (`signalbox-agent journal --run RUN`); its late report still counts. Or `signalbox resolve`.',
  },
  'SB-STEP-PARTIAL': {
    class: 'terminal',
    means: 'After a crash, the probe found the step half done.',
    next: 'The way back looks first and repairs; after a point of no return, `signalbox retry` or finish it by hand and `resolve`.',
  },
  'SB-STEP-NO-UNDO': {
    class: 'terminal',
    means: 'The way back meets something that has been done and has no undo.',
    next: 'Take it back by hand, then `signalbox resolve RUN STEP --as succeeded --note ...`; the way back then goes on.',
  },
  'SB-GATE-TIMEOUT': {
    class: 'retryable',
    means: 'A gate was not met in its time.',
    next: 'See the values with `signalbox status RUN --why`; `signalbox adjust` gives it more time, `resume` asks it again.',
  },
  'SB-GATE-FAILED': {
    class: 'terminal',
    means: 'A gate met its failIf: waiting longer would not help.',
    next: 'Look at the values that are named; they are a sign that the step before did harm.',
  },
  'SB-GATE-NOT-MET': {
    class: 'retryable',
    means: 'A gate that is asked once was not met.',
    next: 'Put right what the value shows; `signalbox resume RUN` asks it again.',
  },
  'SB-FENCE-BROKEN': {
    class: 'retryable',
    means: 'Something that had to stay true while the run goes on is true no longer. Dispatch stopped at once.',
    next: 'Find who did it (the values name it), stop it, then `signalbox resume RUN`: the fence and what relied on it are asked again.',
  },
  'SB-FENCE-UNSEEN': {
    class: 'retryable',
    means:
      'Something that has to stay true while the run goes on could not be looked at any more: its host does not answer, or the probe fails. It may still be true. Dispatch stopped at once.',
    next: 'Bring the host back, or mend what the probe names (`signalbox explain` knows its code), then `signalbox resume RUN`: the fence and what relied on it are asked again.',
  },
  'SB-GUARD-STALE': {
    class: 'retryable',
    means: 'At the point of no return a guard did not hold on fresh evidence. It was not crossed.',
    next: 'See which guard, put it right, then `signalbox resume RUN`: the guards and the approvals are asked again.',
  },
  'SB-DEADLINE': {
    class: 'terminal',
    means: 'A deadline has passed before the run was decided.',
    next: 'Nothing, if the run takes everything back; else resume or abort it.',
  },
  'SB-WINDOW-CLOSED': {
    class: 'terminal',
    means:
      'The maintenance window of the run is over, and the run is not. What was running finishes; no step is begun.',
    next: '`signalbox resume RUN` goes on outside the window, `signalbox abort RUN --undo` takes everything back.',
  },
  'SB-EXCLUSIVE-NOT-PROVEN': {
    class: 'retryable',
    means: 'An exclusive resource could not be proven stopped on the other hosts, so it is not started here.',
    next: 'Stop and mask it on the named host, then `signalbox retry` the step.',
  },
  'SB-RECORD-FAILED': {
    class: 'retryable',
    means: 'A value that later steps need could not be measured.',
    next: 'See whether the host and the measured system answer; `signalbox resume RUN` asks again.',
  },
  'SB-REFERENCE': {
    class: 'terminal',
    means: 'A reference names a value that the earlier step did not return.',
    next: 'Compare the name with `signalbox explain` of that action or probe; the runbook needs a correction.',
  },
  'SB-REPORT-CONFLICT': {
    class: 'unknown',
    means: 'A report contradicts what the log says about a step.',
    next: 'Look at the host before anything else; nothing is dispatched until an operator decides.',
  },
  'SB-RUN-CONTRADICTED': {
    class: 'unknown',
    means:
      'A host knows of decisions that the run log does not have: the log has lost its end (storage put back to an earlier state), or two meshes share a host.',
    next: 'Compare `signalbox-agent journal --run RUN` on that host with `signalbox events RUN`. Nothing is sent until somebody resumes the run; `signalbox abort RUN --leave` ends it as it is.',
  },
} as const satisfies CodeCatalogue;

export const sequencerError = failWith(SEQUENCER_CODES);
export type SequencerCode = keyof typeof SEQUENCER_CODES;
