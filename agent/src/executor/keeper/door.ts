import { renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Keeper } from './keeper.ts';
import { throughFolder } from './through-folder.ts';
import { type KeeperMessage, lineOf, lineReader, readRequest, SOCKET_NAME } from './wire.ts';

export interface DoorOptions {
  keeper: Keeper;
  idleMs: number;
  /** Lets another keeper begin. */
  release: () => void;
  exit: () => void;
}

/**
 * Lets agents in, and ends the keeper when nothing is kept: at once without an agent, else after a while. It ends without losing a request: it says
 * that it goes, and goes when every agent has answered with its own end, so that all it had asked for was read.
 */
export async function openDoor(folder: string, options: DoorOptions): Promise<{ leave: () => void }> {
  const { keeper, idleMs, release, exit } = options;
  const visitors = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, welcome);
  let idleTimer: NodeJS.Timeout | undefined;
  /** The last agent has gone: it ended, or was killed. */
  let deserted = false;
  let leaving = false;
  let closed = false;

  const path = join(folder, SOCKET_NAME);
  const beside = `${SOCKET_NAME}.new`;
  rmSync(join(folder, beside), { force: true });
  await throughFolder(folder, (short) => listen(join(short, beside)));
  // In its place at once: whoever finds it can connect. One that is there belongs to a keeper that is gone.
  renameSync(join(folder, beside), path);
  keeper.onIdle(onIdle);
  onIdle();
  return { leave };

  function listen(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, resolve);
    });
  }

  function welcome(socket: Socket): void {
    visitors.add(socket);
    deserted = false;
    socket.setEncoding('utf8');
    const tell = (message: KeeperMessage) => void (socket.writable && socket.write(lineOf(message)));
    tell({ type: 'keeper', ...keeper.self });
    const take = lineReader((line) => {
      clearTimeout(idleTimer);
      keeper.start(readRequest(line), tell);
      if (keeper.running === 0) onIdle();
    });
    socket.on('data', (text: string) => {
      try {
        take(text);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      visitors.delete(socket);
      deserted = visitors.size === 0;
      if (keeper.running === 0) onIdle();
    });
  }

  function onIdle(): void {
    clearTimeout(idleTimer);
    if (closed) exit();
    else if (deserted && !leaving) leave();
    else if (!leaving) idleTimer = setTimeout(leave, idleMs);
  }

  function leave(): void {
    clearTimeout(idleTimer);
    leaving = true;
    // In this order: the next keeper puts its own socket there.
    rmSync(path, { force: true });
    release();
    server.close(() => {
      closed = true;
      if (keeper.running === 0) exit();
    });
    for (const socket of visitors) socket.end();
  }
}
