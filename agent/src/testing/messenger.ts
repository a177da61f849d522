import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentBus } from '@signalbox/bus';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { expect, onTestFinished } from 'vitest';
import { createCarrier } from '../messenger/carry.ts';
import { type Door, openDoor } from '../messenger/door.ts';
import { type Order, openLine, type ToSay } from '../messenger/wire.ts';

export const WAY = { mesh: 'lab', host: 'h1', servers: ['nats://127.0.0.1:1'] };
export const key = createKeyPair();

/** Where messengers come, closed with the test. */
export async function doorAt(): Promise<{ door: Door; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-door-'));
  const server = createServer();
  const path = join(folder, 'runner.sock');
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { door: openDoor(server), path };
}

/** Whoever is at the door, with all that they were told. */
export async function visitor(path: string) {
  const socket = connect(path);
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  const told: Order[] = [];
  let take = (order: Order): void => void told.push(order);
  const line = openLine<Order, ToSay>(
    socket,
    (text) => JSON.parse(text) as Order,
    (order) => take(order),
  );
  return {
    ...{ socket, line, told },
    handTo(next: (order: Order) => void) {
      for (const order of told) next(order);
      take = next;
    },
  };
}

/** A messenger with a bus of its own. */
export async function carried<B extends AgentBus>(path: string, mesh: B) {
  const one = await visitor(path);
  one.line.send({ type: 'here' });
  await until('the way to the mesh', () => one.told.find(({ type }) => type === 'connect'));
  const carrier = createCarrier(mesh, one.line, (error) => expect.unreachable(String(error)));
  one.handTo((order) => carrier.take(order));
  return { ...one, mesh, carrier };
}
