import type { OutputChunk } from '@signalbox/protocol';

/** One chunk; below what a message carries even if every character had to be escaped. */
const CHUNK_CHARS = 65_536;
/** The end of a long output says what went wrong, so it is sent even when the middle is left out. */
const LAST_CHARS = 32_768;

export type Piece = Pick<OutputChunk, 'seq' | 'text' | 'gapBytes'>;

/** The published output of one command: ordered pieces, bounded, with marked gaps. Its text is redacted already. */
export interface Output {
  write(text: string, lostBytes?: number): void;
  /** Sends the end of what was over the bound. @returns what was written in all, in bytes. */
  end(): number;
}

export function createOutput(capBytes: number, send: (piece: Piece) => void): Output {
  let seq = 0;
  let total = 0;
  let sent = 0;
  let last = '';
  let gapBytes = 0;

  function publish(text: string): void {
    for (let at = 0; at < text.length || (at === 0 && gapBytes > 0); at += CHUNK_CHARS) {
      send({ seq, text: text.slice(at, at + CHUNK_CHARS), ...(gapBytes > 0 && { gapBytes }) });
      seq += 1;
      gapBytes = 0;
    }
  }

  return {
    write(text, lostBytes = 0) {
      const bytes = Buffer.byteLength(text);
      total += bytes + lostBytes;
      if (sent + bytes <= capBytes && last === '') {
        sent += bytes;
        gapBytes += lostBytes;
        publish(text);
        return;
      }
      const grown = last + text;
      const cut = Math.max(0, grown.length - LAST_CHARS);
      gapBytes += lostBytes + Buffer.byteLength(grown.slice(0, cut));
      last = grown.slice(cut);
    },
    end() {
      publish(last);
      last = '';
      return total;
    },
  };
}
