/**
 * What the tools on a host print, read in one place. Actions verify with it and probes measure with it, and neither may
 * import the other; text in, facts out, and who may run what.
 */
export * from './http-text.ts';
export * from './json64.ts';
export * from './kubernetes.ts';
export * from './mongomirror.ts';
export * from './owner.ts';
export * from './postgres-uri.ts';
export * from './process-stat.ts';
export * from './signer-state.ts';
export * from './systemd-unit.ts';
