import type { CodeCatalogue } from '@signalbox/protocol';

/** Kafka clusters. */
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
} as const satisfies CodeCatalogue;
