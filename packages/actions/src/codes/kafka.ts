import type { CodeCatalogue } from '@signalbox/protocol';

/** Kafka clusters, and Kafka Connect beside them. */
export const KAFKA_CODES = {
  'SB-ACT-KAFKA': {
    class: 'unknown',
    means: 'The Kafka cluster cannot be reached, refused, or did not say whether it was done.',
    next: 'Check brokers, credentials and ACLs from the host; the step’s probe compares the offsets.',
  },
  'SB-ACT-KAFKA-TOPIC': {
    class: 'terminal',
    means: 'The topic is not on the cluster; it is not created in passing.',
    next: 'Correct the name, or create it with the right partitions first.',
  },
  'SB-ACT-KAFKA-GROUP-BUSY': {
    class: 'terminal',
    means: 'A group has members, so its offsets are theirs.',
    next: 'Stop its consumers; nothing was changed.',
  },
  'SB-ACT-CONNECT': {
    class: 'terminal',
    means: 'Kafka Connect does not have the connector, has it as a sink, or is too old to show positions (before 3.6).',
    next: 'Make the connector at both places with its configuration; the message says which place, and why.',
  },
  'SB-ACT-CONNECT-RUNNING': {
    class: 'terminal',
    means: 'A connector is not stopped, or one of its tasks still runs: its positions still move.',
    next: 'Stop it (`PUT /connectors/NAME/stop`; a new one is made with `initial_state: STOPPED`). Nothing was changed.',
  },
  'SB-ACT-CONNECT-DIFFER': {
    class: 'unknown',
    means: 'After the copy, Kafka Connect shows other positions than those that it was given.',
    next: 'Compare `GET /connectors/NAME/offsets` at both places; start nothing before they are the same.',
  },
} as const satisfies CodeCatalogue;
