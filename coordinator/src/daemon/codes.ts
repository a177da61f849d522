import { type CodeCatalogue, failWith } from '@signalbox/protocol';

export const COORDINATOR_CODES = {
  'SB-COORD-ROLE': {
    class: 'terminal',
    means: 'The operator has no right to do this.',
    next: 'Ask somebody with the role that is named; roles stand in coordinator.yaml under operators.',
  },
  'SB-ENROL-OFF': {
    class: 'terminal',
    means: 'This coordinator does not take hosts in: its settings have no `enrolment`.',
    next: 'Add the host to `hosts` in coordinator.yaml and to the accounts of NATS, or set a mesh up with `signalbox init`.',
  },
  'SB-ENROL-TOKEN': {
    class: 'terminal',
    means:
      'A token is not open: it was used, has expired, is for another host, or was never given out. Nobody was let in.',
    next: 'Ask for another one with `signalbox enroll HOST`; if this one was used by somebody else, revoke that host.',
  },
  'SB-ENROL-HOST': {
    class: 'terminal',
    means: 'The host is in the mesh already, or stands in coordinator.yaml, or is not in the mesh.',
    next: 'See `signalbox hosts`; `signalbox hosts revoke HOST` takes one out that has joined.',
  },
  'SB-ENROL-KEY': {
    class: 'terminal',
    means:
      'The key that a host had before cannot be withdrawn now: there is none, or a run that goes on was planned with it.',
    next: 'Wait for the end of the runs that are named, or revoke the host if its key is in wrong hands.',
  },
  'SB-ENROL-SERVER': {
    class: 'unknown',
    means: 'The register was written, but the NATS server did not read its new configuration.',
    next: 'Read the message and the log of nats-server, put it right, then restart the coordinator: it writes the configuration anew.',
  },
  'SB-COORD-AUDIT': {
    class: 'terminal',
    means:
      'What this coordinator was asked cannot be written down in the mesh: another process does so under its name.',
    next: 'Give each coordinator a `name` of its own in coordinator.yaml; until then its requests are in its own log only.',
  },
  'SB-COORD-REPLAY': {
    class: 'terminal',
    means: 'A request was sent twice, or is too old, or the clocks are too far apart.',
    next: 'Send it anew; if it is refused again, compare the clock of this machine with the coordinator’s.',
  },
  'SB-COORD-VERB': {
    class: 'terminal',
    means: 'A request asks for something that this coordinator does not know, or in another form.',
    next: 'Compare the versions: `signalbox --version` and `signalbox doctor`.',
  },
  'SB-COORD-MESH': {
    class: 'terminal',
    means: 'A request or plan is for another mesh than this one.',
    next: 'Check --mesh and the settings: this is the oldest mistake at night.',
  },
  'SB-COORD-NO-RUN': {
    class: 'terminal',
    means: 'There is no run of that id.',
    next: 'See `signalbox runs`.',
  },
  'SB-COORD-NOT-LED': {
    class: 'retryable',
    means: 'No coordinator leads the run at the moment. Nothing was done.',
    next: 'Try again in a few seconds; `signalbox doctor` says which runs are not led, and why.',
  },
  'SB-COORD-DEPOSED': {
    class: 'retryable',
    means: 'Another coordinator has taken the run over while this one was asked. Nothing was done.',
    next: 'Try again: the coordinator that leads the run now answers.',
  },
  'SB-COORD-PLAN': {
    class: 'terminal',
    means: 'What was sent is not a plan of this version, or is too large.',
    next: 'Make it again with `signalbox plan FILE --out P`.',
  },
  'SB-COORD-START': {
    class: 'terminal',
    means: 'A start id that has begun a run of one plan was sent with another plan.',
    next: 'Leave --start-id out, or give it another one: a start id stands for one start of one plan.',
  },
  'SB-COORD-DRIFT': {
    class: 'terminal',
    means: 'The world is not as it was when the plan was made.',
    next: 'Make the plan again, or start it with --accept-drift --note "why that is all right".',
  },
  'SB-COORD-UNSIGNED': {
    class: 'terminal',
    means:
      'Hosts of the plan act only on what people have signed, and this start or approval is not signed in a way that they accept.',
    next: 'Give `certificateFile` in signalbox.yaml; an administrator makes the certificate with `signalbox certify`.',
  },
  'SB-COORD-BUSY': {
    class: 'retryable',
    means: 'Another run that is open has something on a host that this one would change, too [I10].',
    next: 'Wait until that run is over (`signalbox watch RUN`), end it, or say `spec.whenBusy: wait` in the runbook.',
  },
  'SB-COORD-CLAIMS': {
    class: 'terminal',
    means: 'What coordinators have written down about the claims of runs is damaged, or of a later version.',
    next: 'Upgrade this coordinator. If the versions are equal: when no run is open, delete the key `claims.claims` of the bucket `leases`.',
  },
  'SB-COORD-LISTEN': {
    class: 'terminal',
    means: 'The address for /metrics and /healthz cannot be listened on.',
    next: 'Give another port under http: in coordinator.yaml, or end what listens there.',
  },
  'SB-COORD-HOST': {
    class: 'terminal',
    means: 'A host of the plan is not enrolled, does not answer, or is not the machine that the plan was made for.',
    next: 'See `signalbox hosts`. Bring the host back, or make the plan again with --without HOST.',
  },
  'SB-COORD-HOST-SILENT': {
    class: 'retryable',
    means: 'A host did not answer a question in time. That is no answer, and never a good one.',
    next: 'See `signalbox hosts`; look at the agent on that host.',
  },
  'SB-HOST-UNKNOWN': {
    class: 'terminal',
    means: 'An agent reports under a name that is not enrolled, or with another key than the enrolled one.',
    next: 'Enrol the host in coordinator.yaml (hosts: NAME: { key: ... }), or give the agent its own key.',
  },
  'SB-HOST-DUPLICATE': {
    class: 'terminal',
    means: 'Two agents are alive under one name.',
    next: 'Give each host its own name and key. The one that started later has been told to stop.',
  },
} as const satisfies CodeCatalogue;

export const coordinatorError = failWith(COORDINATOR_CODES);
