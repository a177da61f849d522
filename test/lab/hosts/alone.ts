import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, inject } from 'vitest';

/** The longest that the files before this one may take, all together. */
const WAIT_MS = 3_600_000;
const wanted = inject('lab');

// One file of lab tests at a time, however many workers there are: they share the hosts. Tests of other kinds run beside it.
let release = () => {};
beforeAll(async () => {
  if ('name' in wanted) release = await hold(`\0signalbox-lab-${wanted.name}`);
}, WAIT_MS);
afterAll(() => release());

/** Holds a name of the kernel's (unix(7), abstract) once nobody else does; it goes with the process that holds it. */
async function hold(path: string): Promise<() => void> {
  for (;;) {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => waiting.add(socket));
    if (await listens(server, path)) {
      return () => {
        server.close();
        for (const socket of waiting) socket.destroy();
      };
    }
    await left(path);
  }
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen({ path }, () => resolve(true));
  });
}

/** Until whoever holds it closes the connection, or is gone already. */
function left(path: string): Promise<void> {
  return new Promise((resolve) => {
    connect({ path })
      .on('error', () => {})
      .on('close', () => resolve());
  });
}
