/**
 * Asking a Kafka cluster, for actions and probes alike: neither may import the other. The client is loaded by the first
 * question, so an agent that never meets a Kafka does not pay for it.
 */
export * from './commit.ts';
export * from './connection.ts';
export * from './logged-in.ts';
export * from './offsets.ts';
export * from './permissions.ts';
export * from './session.ts';
