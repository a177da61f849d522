import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, statSync } from 'node:fs';

/**
 * A child writes into a file of its own and is never slowed down by who reads along. The tail reads behind it, keeps the
 * beginning for the caller, and empties the file when it grows over its cap: the child goes on at the new end, because
 * the file is opened for appending.
 */
export interface Tail {
  /** Reads what is new. */
  poll(): void;
  /** Reads the rest and closes. @returns what was kept for the caller. */
  end(): string;
}

export interface TailOptions {
  capBytes: number;
  /** How much of the beginning is kept for the caller. */
  keepBytes: number;
  /** `lostBytes` were written before `text` and are gone. */
  onText?: ((text: string, lostBytes: number) => void) | undefined;
}

/** A file by its path, opened when there is something in it, or one that is open for reading and writing already. */
export type TailSource = string | number;

const BLOCK = 65_536;

export function openTail(source: TailSource, { capBytes, keepBytes, onText }: TailOptions): Tail {
  let fd = typeof source === 'number' ? source : undefined;
  const decoder = new TextDecoder();
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let offset = 0;
  let lostBytes = 0;

  function take(block: Buffer): void {
    if (keptBytes < keepBytes) {
      const part = block.subarray(0, keepBytes - keptBytes);
      kept.push(Buffer.from(part));
      keptBytes += part.length;
    }
    emit(decoder.decode(block, { stream: true }));
  }

  function emit(text: string): void {
    if (text === '' && lostBytes === 0) return;
    onText?.(text, lostBytes);
    lostBytes = 0;
  }

  /** At most one cap's worth a time: a child that writes faster than we read must not hold up the agent. */
  function poll(): void {
    fd ??= typeof source === 'string' ? openWritten(source) : undefined;
    if (fd === undefined) return;
    const block = Buffer.allocUnsafe(BLOCK);
    for (let budget = capBytes; budget > 0; ) {
      const count = readSync(fd, block, 0, Math.min(BLOCK, budget), offset);
      if (count === 0) break;
      offset += count;
      budget -= count;
      take(block.subarray(0, count));
    }
    if (offset >= capBytes) {
      lostBytes += Math.max(0, fstatSync(fd).size - offset);
      ftruncateSync(fd, 0);
      offset = 0;
    }
  }

  return {
    poll,
    end() {
      poll();
      emit(decoder.decode());
      if (fd !== undefined) closeSync(fd);
      return Buffer.concat(kept).toString('utf8');
    },
  };
}

/** Most processes write little or nothing; opening a file costs more than asking for its size. */
function openWritten(path: string): number | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size === 0 ? undefined : openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
}
