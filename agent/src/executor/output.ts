import type { OutputChunk } from '@signalbox/protocol';

/** One chunk; below what a message carries even if every character had to be escaped. */
const CHUNK_CHARS = 65_536;
/** The end of a long output says what went wrong, so it is sent even when the middle is left out. */
const LAST_CHARS = 32_768;
/** So many of the last pieces are sent once more after a restart: they may have been on their way when the agent died. */
const AGAIN = 8;

/** The stream of what is sent at the very end; it may be of several processes. */
const END = 'end';

export type Piece = Pick<OutputChunk, 'seq' | 'text' | 'gapBytes'>;

/** The published output of one command: ordered pieces, bounded, with marked gaps. Its text is redacted already. */
export interface Output {
  /** `stream` names where the text comes from; after a restart each stream is written again from its beginning. */
  write(stream: string, text: string, lostBytes?: number): void;
  /** Sends the end of what was over the bound. @returns what was written in all, in bytes. */
  end(): number;
}

/** What was published, for an agent that goes on with it after a restart. */
export interface Progress {
  seq: number;
  /** Whether the bound was reached. */
  over: boolean;
  /** Characters of each stream. */
  chars: Record<string, number>;
  last: SentPiece[];
}
interface SentPiece {
  seq: number;
  stream: string;
  from: number;
  to: number;
  gapBytes?: number;
}

export interface OutputOptions {
  capBytes: number;
  send: (piece: Piece) => void;
  /** Where an agent before this one had come to. */
  before?: Progress | undefined;
  /** Called before a piece is sent: what is not remembered would be published under a number that was used. */
  remember?: (progress: Progress) => void;
}

export function createOutput({ capBytes, send, before, remember = () => {} }: OutputOptions): Output {
  const progress: Progress = { seq: 0, over: false, chars: {}, last: [], ...before };
  const replays = (before?.last ?? []).map((piece) => ({ ...piece, text: '' }));
  const written: Record<string, number> = {};
  let total = 0;
  let sent = 0;
  let last = '';
  let gapBytes = 0;

  function publish(stream: string, text: string): void {
    for (let at = 0; at < text.length || (at === 0 && gapBytes > 0); at += CHUNK_CHARS) {
      const part = text.slice(at, at + CHUNK_CHARS);
      const from = progress.chars[stream] ?? 0;
      const to = from + part.length;
      const gap = gapBytes > 0 && { gapBytes };
      const { seq } = progress;
      progress.last = [...progress.last.slice(1 - AGAIN), { seq, stream, from, to, ...gap }];
      progress.chars[stream] = to;
      progress.seq += 1;
      remember(progress);
      send({ seq, text: part, ...gap });
      gapBytes = 0;
    }
  }

  /** Leaves out what an agent before this one has published, and sends again what may not have arrived. */
  function unpublished(stream: string, text: string): string {
    const from = written[stream] ?? 0;
    const to = from + text.length;
    written[stream] = to;
    for (const piece of replays) {
      if (piece.stream !== stream || piece.to <= from || piece.from >= to) continue;
      piece.text += text.slice(Math.max(0, piece.from - from), piece.to - from);
      const { seq, gapBytes } = piece;
      if (piece.to <= to) send({ seq, text: piece.text, ...(gapBytes !== undefined && { gapBytes }) });
    }
    return text.slice(Math.max(0, (before?.chars[stream] ?? 0) - from));
  }

  return {
    write(stream, text, lostBytes = 0) {
      total += Buffer.byteLength(text) + lostBytes;
      // What was lost before was over the bound: all that had been published of the stream is among it.
      if (lostBytes > 0 && before !== undefined) written[stream] ??= before.chars[stream] ?? 0;
      const fresh = before === undefined ? text : unpublished(stream, text);
      sent += Buffer.byteLength(text) - Buffer.byteLength(fresh);
      const bytes = Buffer.byteLength(fresh);
      if (fresh === '' && lostBytes === 0) return;
      if (sent + bytes <= capBytes && last === '' && !progress.over) {
        sent += bytes;
        gapBytes += lostBytes;
        publish(stream, fresh);
        return;
      }
      progress.over = true;
      const grown = last + fresh;
      const cut = Math.max(0, grown.length - LAST_CHARS);
      gapBytes += lostBytes + Buffer.byteLength(grown.slice(0, cut));
      last = grown.slice(cut);
    },
    end() {
      if (before?.chars[END] === undefined) publish(END, last);
      else unpublished(END, last);
      last = '';
      return total;
    },
  };
}
