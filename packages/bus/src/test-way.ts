import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a NATS server on which an answer can get lost. */
export interface Way {
  readonly url: string;
  /** The next publication reaches the server; its acknowledgement does not come back, and the connection is cut. */
  loseAnswer(): void;
  /** From now on the client reads nothing, and does not say so. */
  stall(): void;
  /** What the client writes does not get on until this is let go. */
  hold(): () => void;
  close(): void;
}

export async function wayTo(port: number): Promise<Way> {
  let stalled = false;
  let losing: 'no' | 'the next' | 'this one' = 'no';
  const open = new Set<Socket>();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const ends = [client, upstream];
    clients.add(client);
    const cut = () => {
      for (const end of ends) end.destroy();
    };
    for (const end of ends) {
      open.add(end);
      end.on('error', cut).on('close', () => {
        open.delete(end);
        cut();
      });
    }
    client.on('data', (data) => {
      // `PUB` and `HPUB`: what a client of NATS publishes with, and asks with.
      if (losing === 'the next' && data.includes('PUB ')) losing = 'this one';
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (stalled) return void upstream.pause();
      if (losing === 'this one' && data.includes('MSG ')) {
        losing = 'no';
        cut();
      } else client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseAnswer: () => {
      losing = 'the next';
    },
    stall: () => {
      stalled = true;
    },
    hold: () => {
      for (const client of clients) client.pause();
      return () => {
        for (const client of clients) client.resume();
      };
    },
    close: () => {
      server.close();
      for (const end of open) end.destroy();
    },
  };
}
