import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** Abstract names fill the whole address: padded by us, so that every version of Node makes the same name. */
const NAME_BYTES = 107;

/**
 * Takes a name for this process alone, on this machine. The name is a Linux abstract socket, of which the kernel knows
 * who has it: it is free again when the process dies, however it dies, so nothing stale is ever left. It holds within
 * one network namespace.
 * @returns undefined when another process has it. @throws the system's error when that cannot be said.
 */
export function takeName(kind: string, path: string): Promise<Server | undefined> {
  const name = `${kind}-${createHash('sha256').update(path).digest('hex')}`.padEnd(NAME_BYTES, '-');
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') resolve(undefined);
      else reject(cause);
    });
    server.listen(`\0${name}`, () => {
      server.unref();
      resolve(server);
    });
  });
}
