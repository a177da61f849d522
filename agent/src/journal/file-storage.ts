import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { agentError } from '../codes.ts';
import type { JournalStorage } from '../ports.ts';

const sync = promisify(fdatasync);
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

/**
 * A journal in a file. A write goes to the page cache at once and in order; only the fsync leaves the thread. The file's
 * own entry in its folder is synced when it is made, else a crash could lose the whole journal.
 * @throws SB-JOURNAL-READ
 */
export function openFileStorage(path: string): JournalStorage {
  let fd = openFile(path);

  return {
    read: () => readFileSync(path),
    append(text) {
      const data = Buffer.from(text);
      let done = 0;
      while (done < data.length) done += writeSync(fd, data, done);
    },
    sync: () => sync(fd),
    truncate(bytes) {
      ftruncateSync(fd, bytes);
      fdatasyncSync(fd);
    },
    replace(text) {
      const beside = `${path}.new`;
      const next = openSync(beside, APPEND | constants.O_TRUNC, 0o600);
      writeFileSync(next, text);
      fsyncSync(next);
      renameSync(beside, path);
      syncFolder(path);
      closeSync(fd);
      fd = next;
    },
    close: () => closeSync(fd),
  };
}

function openFile(path: string): number {
  try {
    const fd = openSync(path, APPEND, 0o600);
    syncFolder(path);
    return fd;
  } catch (cause) {
    throw agentError('SB-JOURNAL-READ', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
