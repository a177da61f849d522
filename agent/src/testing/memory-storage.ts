import type { JournalStorage } from '../ports.ts';

export interface MemoryStorage extends JournalStorage {
  /** What a crash of the host would leave: only what was synced. */
  readonly onDisk: () => string;
  text: string;
  syncs: number;
  /** What goes wrong next: thrown by every following call of its kind. */
  broken: { append?: Error; sync?: Error };
  /** Fsyncs wait until it resolves. */
  slow: Promise<void> | undefined;
}

export function memoryStorage(text = ''): MemoryStorage {
  let synced = text;
  const storage: MemoryStorage = {
    text,
    syncs: 0,
    broken: {},
    slow: undefined,
    onDisk: () => synced,
    read: () => Buffer.from(storage.text),
    append(more) {
      if (storage.broken.append) throw storage.broken.append;
      storage.text += more;
    },
    async sync() {
      const reached = storage.text;
      storage.syncs += 1;
      await storage.slow;
      if (storage.broken.sync) throw storage.broken.sync;
      synced = reached;
    },
    truncate(bytes) {
      storage.text = Buffer.from(storage.text).subarray(0, bytes).toString();
      synced = storage.text;
    },
    replace(whole) {
      storage.text = whole;
      synced = whole;
    },
    close() {},
  };
  return storage;
}
