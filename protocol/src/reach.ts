import { z } from 'zod';
import type { Json } from './json.ts';

/** The probe whose samples become a table of hosts and systems, on screens and in documents. */
export const REACH_PROBE = 'net.reach';

/** A system as somebody connects to it. `address` is `host:port`; `neededBy` names who cannot do without it. */
export type Endpoint = z.infer<typeof Endpoint>;
export const Endpoint = z.strictObject({
  name: z.string().min(1).max(60),
  address: z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):\d{1,5}$/, '`host:port`, an IPv6 address in brackets'),
  tls: z.boolean().optional(),
  neededBy: z.array(z.string().min(1)).optional(),
});

/** What one host found at one of them. */
export type Reached = z.infer<typeof Reached>;
export const Reached = z.object({
  name: z.string(),
  address: z.string(),
  ok: z.boolean(),
  /** False where it is only worth knowing. */
  needed: z.boolean(),
  /** Until the connection was there, with the TLS handshake where it speaks that, or was given up. */
  ms: z.number(),
  /** Why there is none; empty when there is. */
  reason: z.string(),
});

/** `endpoints` of a sample; nothing when it has none that can be read. */
export function reachedIn(values: Readonly<Record<string, Json>>): Reached[] {
  return z.array(Reached).safeParse(values.endpoints).data ?? [];
}

/** What a host has for a system in a table: `3 ms` or `REFUSED`, in brackets where it is not needed. */
export function reachedText({ ok, ms, reason, needed }: Reached): string {
  const text = ok ? `${ms} ms` : reason;
  return needed ? (ok ? text : text.toUpperCase()) : `(${text})`;
}

/** One line a host, one column a system, in the order in which they were named. Empty without samples. */
export function reachTable(samples: readonly { host: string; reached: readonly Reached[] }[]): string[][] {
  const names = [...new Set(samples.flatMap(({ reached }) => reached.map(({ name }) => name)))];
  if (names.length === 0) return [];
  const rows = samples.map(({ host, reached }) => [
    host,
    ...names.map((name) => {
      const found = reached.find((one) => one.name === name);
      return found ? reachedText(found) : '-';
    }),
  ]);
  return [['from', ...names], ...rows];
}
