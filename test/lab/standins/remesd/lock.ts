import { fstatSync, openSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * The database's lock, held by one process until it ends. Like flock(2), which the real node uses and Node does not
 * offer: the kernel gives it back however the process dies, and it belongs to the file itself, so a copy is not locked
 * and a renamed folder still is. Built on an abstract socket named after the file's inode.
 *
 * @returns false when another process has it.
 */
export function takeLock(path: string): Promise<boolean> {
  // Kept open, as the real node keeps its database open: that is how others see who works on the folder.
  const { dev, ino } = fstatSync(openSync(path, 'a'));
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(`\0signalbox-lab-${dev}-${ino}`, () => {
      server.unref();
      resolve(true);
    });
  });
}

/** In the words of the real node. */
export const LOCKED = 'Error: failed to initialize database: resource temporarily unavailable';
