import { createCurve } from 'nkeys.js';
import { z } from 'zod';
import { HostName, MeshName } from '../names.ts';
import { wire } from '../wire.ts';
import { curvePair } from './curve-key.ts';

/** Who may open a secret. It is inside the box as well: a box that is carried to another host does not open there. */
export interface Addressee {
  readonly mesh: string;
  readonly host: string;
}

const Content = wire({ mesh: MeshName, host: HostName, value: z.string() });

/** @returns the reference `sealed:HOST:SENDER:BOX`. The sender's key is made for this one box, so nobody else can open it. */
export function sealSecret(value: string, { mesh, host, curve }: Addressee & { readonly curve: string }): string {
  const sender = createCurve();
  const content = new TextEncoder().encode(JSON.stringify({ mesh, host, value } satisfies z.infer<typeof Content>));
  const box = sender.seal(content, curve);
  return `sealed:${host}:${sender.getPublicKey()}:${Buffer.from(box).toString('base64url')}`;
}

/** @returns undefined when it was sealed to another host or mesh, or is not byte for byte as it was sealed. */
export function openSecret(
  ref: string,
  { mesh, host, seed }: Addressee & { readonly seed: string },
): string | undefined {
  const [kind, , sender = '', box = ''] = ref.split(':');
  if (kind !== 'sealed') return undefined;
  const content = openBox(Buffer.from(box, 'base64url'), { sender, seed });
  if (content === undefined) return undefined;
  const parsed = Content.safeParse(readContent(content));
  if (!parsed.success || parsed.data.mesh !== mesh || parsed.data.host !== host) return undefined;
  return ref === `sealed:${host}:${sender}:${Buffer.from(box, 'base64url').toString('base64url')}`
    ? parsed.data.value
    : undefined;
}

/** Whoever knows the host's curve key may have put anything into the box. An error of the parser would show a part of it. */
function readContent(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function openBox(box: Uint8Array, { sender, seed }: { sender: string; seed: string }): string | undefined {
  const own = curvePair(seed);
  try {
    // Null when a byte is another one; thrown when it has no form at all.
    const opened: Uint8Array | null = own.open(box, sender);
    return opened === null ? undefined : new TextDecoder().decode(opened);
  } catch {
    return undefined;
  }
}
