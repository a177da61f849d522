import { type Account, encodeAccount, encodeActivation, encodeOperator, encodeUser, type User } from '@nats-io/jwt';
import { createAccount, createOperator, fromPublic, type KeyPair } from '@nats-io/nkeys';
import type { JsonObject } from '@signalbox/protocol';
import { z } from 'zod';

/** What `accounts` writes, as far as a JWT has to say the same. */
const Direct = z.object({ account: z.string(), subject: z.string() });
const Rights = z.object({
  allow: z.array(z.string()).optional(),
  deny: z.union([z.string(), z.array(z.string())]).optional(),
});
const Accounts = z.record(
  z.string(),
  z.object({
    jetstream: z.string().optional(),
    users: z
      .array(
        z.object({
          nkey: z.string(),
          permissions: z
            .object({
              publish: Rights.optional(),
              subscribe: Rights.optional(),
              allow_responses: z.object({ max: z.int(), expires: z.literal('2m') }).optional(),
            })
            .optional(),
        }),
      )
      .default([]),
    exports: z
      .array(
        z.object({
          service: z.string().optional(),
          stream: z.string().optional(),
          accounts: z.array(z.string()).optional(),
          response_type: z.literal('stream').optional(),
        }),
      )
      .default([]),
    imports: z.array(z.object({ service: Direct.optional(), stream: Direct.optional() })).default([]),
  }),
);
type Told = z.infer<typeof Accounts>[string];

const NO_LIMITS = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORAGE = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const TWO_MINUTES_NS = 120e9;

/**
 * The accounts of a mesh in a NATS that knows them by JWT: an operator, an account JWT for each, in the full resolver, and a JWT for each user.
 * Exports are private: each account that may import one has an activation for it, because any other account of the operator could
 * import a public one.
 */
export async function inOperatorMode(config: JsonObject) {
  const told = Accounts.parse(config);
  const operator = createOperator();
  const keys = new Map([...Object.keys(told), 'SYS'].map((name) => [name, createAccount()]));
  const keyOf = (name: string): KeyPair => keys.get(name) ?? createAccount();
  const users = new Map<string, string>();
  const resolved: Record<string, string> = {};
  for (const [name, key] of keys) {
    const account = told[name];
    const claims = account === undefined ? {} : await claimsOf(account, { name, keyOf });
    resolved[key.getPublicKey()] = await encodeAccount(name, key, claims, { signer: operator });
    for (const { nkey, permissions } of account?.users ?? []) {
      users.set(nkey, await encodeUser(nkey, fromPublic(nkey), key, userOf(permissions)));
    }
  }
  const system_account = keyOf('SYS').getPublicKey();
  const operatorJwt = await encodeOperator('company', operator, { system_account });
  return {
    jwtOf: (publicKey: string) => users.get(publicKey),
    adapt: ({ accounts: _, ...rest }: JsonObject): JsonObject => ({
      ...rest,
      operator: operatorJwt,
      system_account,
      resolver: { type: 'full', dir: `${String(rest.ports_file_dir)}/jwt`, allow_delete: false, interval: '2m' },
      resolver_preload: resolved,
    }),
  };
}

type Names = { readonly name: string; readonly keyOf: (name: string) => KeyPair };

async function claimsOf({ exports, imports, jetstream }: Told, { name, keyOf }: Names): Promise<Partial<Account>> {
  const subject = keyOf(name).getPublicKey();
  return {
    limits: { ...NO_LIMITS, ...(jetstream === undefined ? {} : STORAGE) } as NonNullable<Account['limits']>,
    exports: exports.map(({ service, stream, response_type }) => ({
      ...{ name: service ?? stream ?? '', subject: service ?? stream ?? '', type: service ? 'service' : 'stream' },
      ...{ token_req: true, ...(response_type === undefined ? {} : { response_type: 'Stream' as const }) },
    })) as NonNullable<Account['exports']>,
    imports: await Promise.all(
      imports.map(async ({ service, stream }) => {
        const from = service ?? stream ?? { account: '', subject: '' };
        const type = service ? ('service' as const) : ('stream' as const);
        const activation = { subject: from.subject, kind: type };
        const token = await encodeActivation(from.subject, fromPublic(subject), keyOf(from.account), type, activation);
        const account = keyOf(from.account).getPublicKey();
        return { name: from.subject, subject: from.subject, account, type, token };
      }),
    ),
  };
}

function userOf(permissions: Told['users'][number]['permissions']): Partial<User> {
  const rights = ({ allow = [], deny = [] }: z.infer<typeof Rights> = {}) => ({ allow, deny: [deny].flat() });
  const { publish, subscribe, allow_responses: responses } = permissions ?? {};
  return {
    ...{ subs: -1, data: -1, payload: -1, pub: rights(publish), sub: rights(subscribe) },
    ...(responses === undefined ? {} : { resp: { max: responses.max, ttl: TWO_MINUTES_NS } }),
  };
}
