import type { Socket } from 'node:net';
import { Failure, MAX_MESSAGE_BYTES, type OutputChunk } from '@signalbox/protocol';
import { z } from 'zod';

/**
 * What messenger and runner say to each other: one JSON object a line, over a socket that root has made. The messenger speaks
 * to the network; whoever takes it over says what they like here. So what it says is checked as what comes from there is.
 */
export type Lane = z.infer<typeof Lane>;
export const Lane = z.enum(['commands', 'controls']);

const Data = z.base64().transform((text) => Buffer.from(text, 'base64'));
const Name = z.string().max(512);
const Count = z.int().min(0);

/** A challenge of a NATS server. Nothing that hosts sign has this form: all of that begins with `signalbox/v1/`. */
export const Challenge = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** The messenger to the runner. */
export type Said = z.infer<typeof Said>;
export const Said = z.discriminatedUnion('type', [
  /** The first word of who wants to carry. */
  z.strictObject({ type: z.literal('here') }),
  /** The only word of who wants a challenge signed. */
  z.strictObject({ type: z.literal('sign'), challenge: Challenge }),
  z.strictObject({ type: z.literal('connected'), connected: z.boolean() }),
  z.strictObject({ type: z.literal('delivery'), lane: Lane, n: Count, id: Name, data: Data }),
  z.strictObject({ type: z.literal('query'), verb: Name, n: Count, data: Data }),
  /** What came of something that the runner asked for. */
  z.strictObject({ type: z.literal('done'), n: Count, data: Data.optional(), failure: Failure.optional() }),
]);

/** Undefined: whoever said it is no messenger. */
export function readSaid(text: string): Said | undefined {
  try {
    return Said.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The same as the messenger writes it: data is text still. */
export type ToSay = z.input<typeof Said>;

/** How the messenger reaches the mesh: all that it knows of this host. The key is not among it. */
export interface Way {
  readonly mesh: string;
  readonly host: string;
  readonly servers: string[];
  readonly ca?: string | undefined;
  readonly jwt?: string | undefined;
  /** Public. */
  readonly key: string;
}

export type Verdict = 'ack' | 'terminate' | 'working' | 'handled' | 'threw';

/** The runner to the messenger. */
export type Order =
  | ({ readonly type: 'connect' } & Way)
  /** There is nothing to carry. */
  | { readonly type: 'rest'; readonly why: string }
  | { readonly type: 'refused'; readonly failure: Failure; readonly exitCode: number }
  | { readonly type: 'signed'; readonly key: string; readonly sig: string }
  | { readonly type: 'listen'; readonly lane: Lane }
  | { readonly type: 'serve'; readonly verb: string }
  | { readonly type: 'settle'; readonly n: number; readonly verdict: Verdict }
  | { readonly type: 'answer'; readonly n: number; readonly data: string }
  | { readonly type: 'unanswered'; readonly n: number; readonly why: string }
  | { readonly type: 'report'; readonly n: number; readonly run: string; readonly data: string }
  | { readonly type: 'beat'; readonly n: number; readonly data: string }
  | { readonly type: 'output'; readonly chunk: OutputId; readonly data: string }
  | { readonly type: 'status'; readonly text: string };
export type OutputId = Pick<OutputChunk, 'run' | 'step' | 'commandId' | 'seq'>;

export const textOf = (data: Uint8Array): string => Buffer.from(data).toString('base64');

/** One message in Base64, and what is around it. */
const MAX_LINE = 2 * MAX_MESSAGE_BYTES;

export interface Line<Out> {
  send(message: Out): void;
  /** What was sent still arrives. */
  end(): void;
  /** Resolves when it is closed, whoever did it. */
  readonly closed: Promise<void>;
}

/** Messages over a socket. A line that is too long, or of which `read` makes nothing, ends it. */
export function openLine<In, Out>(
  socket: Socket,
  read: (text: string) => In | undefined,
  take: (message: In) => void,
): Line<Out> {
  let rest = '';
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = read(line);
      if (message === undefined) socket.destroy();
      if (socket.destroyed) return;
      if (message !== undefined) take(message);
    }
    if (rest.length > MAX_LINE) socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  return {
    send: (message) => void (socket.writable && socket.write(`${JSON.stringify(message)}\n`)),
    end: () => void socket.end(),
    closed,
  };
}
