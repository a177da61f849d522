import { type CodeCatalogue, failWith } from '@signalbox/protocol';

/** Every reason why a sample cannot be taken. A missing sample is never a good one [I11]. */
export const PROBE_CODES = {
  'SB-PROBE-SYSTEMCTL': {
    class: 'retryable',
    means: 'systemd cannot be asked: systemctl is missing, failed, or did not answer in time.',
    next: 'Run `systemctl show UNIT` on the host as the user of the agent.',
  },
  'SB-PROBE-JOURNAL': {
    class: 'retryable',
    means: 'The journal of the host cannot be read.',
    next: 'Run `journalctl --unit UNIT` on the host as the user of the agent.',
  },
  'SB-PROBE-PIP': {
    class: 'retryable',
    means: 'The virtual environment has no Python or pip that answers.',
    next: 'Check the path of the environment, and run its `bin/pip check` on the host.',
  },
  'SB-PROBE-HTTP': {
    class: 'retryable',
    means: 'The server cannot be reached, or did not answer in time.',
    next: 'Check address and network from this host.',
  },
  'SB-PROBE-HOME-UNKNOWN': {
    class: 'terminal',
    means: 'Neither `home` is given nor does the unit name one in --home.',
    next: 'Give `home`, or correct `unit`.',
  },
  'SB-PROBE-SIGNER-STATE': {
    class: 'terminal',
    means: 'The signing state of the validator is there but cannot be read.',
    next: 'Look at the file on the host; do not start the node elsewhere.',
  },
  'SB-PROBE-POSTGRES': {
    class: 'retryable',
    means: 'PostgreSQL cannot be reached, refuses the user, or does not answer the question.',
    next: 'Read the message, which is the server’s; check the secret of the connection.',
  },
  'SB-PROBE-MONGODB': {
    class: 'retryable',
    means: 'No connection to MongoDB could be made or kept, or the replica set has no primary at the moment.',
    next: 'Check the hosts in the URI, the network from this host, and `rs.status()`; an election passes by itself.',
  },
  'SB-PROBE-MONGODB-REFUSED': {
    class: 'terminal',
    means: 'MongoDB refused the question: the user may not ask it, the URI is not valid, or the server has no oplog.',
    next: 'The message names the reason; docs/guides/fast-data.md lists the roles that Signalbox needs.',
  },
  'SB-PROBE-MIRROR-UNIT': {
    class: 'terminal',
    means: 'The unit is not there, or runs a mirror without a status port.',
    next: 'Check the name of the unit; add --httpStatusPort to what it starts.',
  },
  'SB-PROBE-MONGOSYNC': {
    class: 'retryable',
    means: 'mongosync answers, but does not tell its progress. For minutes after a start or a resume that is normal.',
    next: 'Wait; if it goes on, read the log of mongosync.',
  },
  'SB-PROBE-KUBERNETES': {
    class: 'retryable',
    means: 'kubectl is missing, was refused, or did not answer in time.',
    next: 'Run `kubectl get deployment NAME` on the host as the user of the agent.',
  },
  'SB-PROBE-KAFKA': {
    class: 'retryable',
    means: 'The Kafka cluster cannot be reached, refused the login, or did not answer the question.',
    next: 'Check brokers, credentials and ACLs (Describe on cluster, topics and groups) from this host.',
  },
  'SB-PROBE-KAFKA-TOPIC': {
    class: 'terminal',
    means: 'The topic is not on the cluster. A probe never creates one.',
    next: 'Correct the name, or create the topic with the partitions and cleanup.policy that it has on the other cluster.',
  },
  'SB-PROBE-DNS': {
    class: 'retryable',
    means: 'A DNS server was silent, refused the question, or could not answer it.',
    next: 'Check its address and port, and the network from this host: `dig NAME @SERVER`.',
  },
  'SB-PROBE-TLS': {
    class: 'retryable',
    means: 'No TLS connection to the server could be made, so it has shown no certificate.',
    next: 'Check address, port and network from this host.',
  },
  'SB-PROBE-FAILED': {
    class: 'retryable',
    means: 'A file or a fact of the host could not be read.',
    next: 'The message names it; check the rights of the agent.',
  },
} as const satisfies CodeCatalogue;

export const probeError = failWith(PROBE_CODES);
