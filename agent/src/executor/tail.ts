import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';

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
  /** Whether an agent before this one may have emptied the file. */
  resumed?: boolean;
  /** `lostBytes` were written before `text` and are gone. */
  onText?: ((text: string, lostBytes: number) => void) | undefined;
}

/** A file by its path, opened when there is something in it, or one that is open for reading and writing already. */
export type TailSource = string | number;

const BLOCK = 65_536;

export function openTail(source: TailSource, { capBytes, keepBytes, resumed, onText }: TailOptions): Tail {
  let fd = typeof source === 'number' ? source : undefined;
  const decoder = new TextDecoder();
  const head = resumed && typeof source === 'string' ? readHead(source) : { kept: Buffer.alloc(0), goneBytes: 0 };
  const kept: Buffer[] = [head.kept];
  let keptBytes = head.kept.length;
  let goneBytes = head.goneBytes;
  let offset = 0;
  let lostBytes = goneBytes;

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
      if (typeof source === 'string') writeHead(source, { kept: Buffer.concat(kept), goneBytes: goneBytes + offset });
      // Close together: what the child writes in between is counted by nobody.
      const { size } = fstatSync(fd);
      ftruncateSync(fd, 0);
      lostBytes += Math.max(0, size - offset);
      goneBytes += size;
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

/** What a file that was emptied began with, and how much it held: an agent that comes later must know both. */
interface Head {
  kept: Buffer;
  goneBytes: number;
}
const COUNT_CHARS = 16;

function writeHead(path: string, { kept, goneBytes }: Head): void {
  const count = Buffer.from(String(goneBytes).padEnd(COUNT_CHARS));
  writeFileSync(`${path}.head`, Buffer.concat([count, kept]), { mode: 0o600 });
}

function readHead(path: string): Head {
  if (!existsSync(`${path}.head`)) return { kept: Buffer.alloc(0), goneBytes: 0 };
  const data = readFileSync(`${path}.head`);
  return { kept: data.subarray(COUNT_CHARS), goneBytes: Number(data.subarray(0, COUNT_CHARS).toString()) };
}

/** Most processes write little or nothing; opening a file costs more than asking for its size. */
function openWritten(path: string): number | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size === 0 ? undefined : openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
}
