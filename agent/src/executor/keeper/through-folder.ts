import { closeSync, openSync } from 'node:fs';

/**
 * A socket's address holds about a hundred bytes, a folder's path any number: it is reached through a descriptor of the
 * folder.
 */
export async function throughFolder<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  const fd = openSync(folder, 'r');
  try {
    return await use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
