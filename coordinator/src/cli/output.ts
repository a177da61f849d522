import type { ReplyBody } from '@signalbox/protocol';
import type { MeshClient } from './client.ts';
import { safeBlock } from './safe-text.ts';

export type Chunk = ReplyBody<'output'>['chunks'][number];

export interface OutputWishes {
  readonly run: string;
  readonly step?: string | undefined;
  readonly host?: string | undefined;
}

/** Reads the output of a run's steps in order, each piece once. */
export class OutputReader {
  readonly #client: MeshClient;
  readonly #wishes: OutputWishes;
  #from = 0;

  constructor(client: MeshClient, wishes: OutputWishes) {
    this.#client = client;
    this.#wishes = wishes;
  }

  /** All that has come since the last call. */
  async next(): Promise<Chunk[]> {
    const { run, step, host } = this.#wishes;
    const chunks: Chunk[] = [];
    for (;;) {
      const body = {
        run,
        from: this.#from,
        ...(step === undefined ? {} : { step }),
        ...(host === undefined ? {} : { host }),
      };
      const reply = await this.#client.ask('output', body);
      chunks.push(...reply.chunks);
      if (reply.next <= this.#from) return chunks;
      this.#from = reply.next;
    }
  }
}

/**
 * Output of steps as lines, each with its step and host in front. What a host wrote is data: its control characters are
 * shown, not obeyed. `labels: false` leaves the prefix out, for a single step on a single host.
 */
export function outputLines(chunks: readonly Chunk[], { labels = true }: { labels?: boolean } = {}): string[] {
  return chunks.flatMap(({ step, host, text, gapBytes }) => {
    const prefix = labels ? `${host} ${step} | ` : '';
    const gap = gapBytes === undefined ? [] : [`${prefix}(${gapBytes} bytes left out)`];
    const body = text.endsWith('\n') ? text.slice(0, -1) : text;
    const lines = body === '' && text === '' ? [] : safeBlock(body).split('\n');
    return [...gap, ...lines.map((line) => prefix + line)];
  });
}
