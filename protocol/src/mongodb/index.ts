/**
 * Asking a MongoDB, for actions and probes alike: neither may import the other. The driver is loaded by the first
 * question, so an agent that never meets a MongoDB does not pay for it.
 */
export * from './connect.ts';
export * from './members.ts';
export * from './own-data.ts';
export * from './problem.ts';
