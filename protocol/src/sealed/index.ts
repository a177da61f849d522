/**
 * Secrets that are encrypted to one host, and the curve key that a host has for them: nkeys' xkey (X25519, XSalsa20 and
 * Poly1305, "xkv1"). Apart from `crypto`, so that a program which seals nothing does not load it.
 */
export * from './curve-key.ts';
export * from './host-keys.ts';
export * from './secret-box.ts';
