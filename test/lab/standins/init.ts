// PID 1 of a host in the lab: supervises the units of one host's folder and serves `systemctl` on a socket in it.
//
//   node init.js <folder>
//
// Ends, with everything it started, on SIGTERM and when its standard input closes. The latter is the lifeline of tests:
// whatever becomes of the process that made the host, also kill -9, the host does not outlive it.
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { hostPaths } from '../paths.ts';
import { Manager } from './init/manager.ts';

const root = process.argv[2];
if (root === undefined) throw new Error('usage: init <folder of the host>');
const paths = hostPaths(root);
const manager = new Manager(paths);

/** One request a connection, ended by the client's half-close: a JSON array of arguments. */
const server = createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // A client that goes away before its answer has not taken its wish back.
  socket.on('error', () => socket.destroy());
  socket.on('end', async () => {
    const argv: string[] = JSON.parse(text);
    socket.end(JSON.stringify(await manager.systemctl(argv)));
  });
});

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await manager.shutDown();
  server.close();
  rmSync(paths.socket, { force: true });
  process.exit(0);
}
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.stdin.on('end', end).on('error', end).resume();

mkdirSync(dirname(paths.socket), { recursive: true });
rmSync(paths.socket, { force: true });
server.listen(paths.socket, () => {
  manager.boot();
  process.stdout.write('ready\n');
});
