import { z } from 'zod';
import { open, type Signer, seal } from '../crypto/index.ts';
import { HostName, MeshName } from '../names.ts';
import { wire } from '../wire.ts';

/**
 * What a host says of its curve key, signed by its own key: who knows that key need not believe whoever passes this on.
 */
export type HostKeys = z.infer<typeof HostKeys>;
export const HostKeys = wire({ mesh: MeshName, host: HostName, curve: z.string().regex(/^X[A-Z2-7]{55}$/) });

export function stateKeys(keys: HostKeys, ...signers: readonly [Signer, ...Signer[]]): string {
  return Buffer.from(seal('keys', keys, ...signers)).toString('utf8');
}

/**
 * @returns the host's curve key, and the keys that have signed for it.
 * @throws a code of PROTOCOL_CODES when none of `trusted` has, or when it is about another host.
 */
export function readKeys(
  statement: string,
  { mesh, host, trusted }: { mesh: string; host: string; trusted: string },
): { curve: string; signedBy: readonly string[] } {
  const schema = HostKeys.extend({ mesh: z.literal(mesh), host: z.literal(host) });
  const { payload, keys } = open(Buffer.from(statement), { kind: 'keys', schema, trusts: (key) => key === trusted });
  return { curve: payload.curve, signedBy: keys };
}
