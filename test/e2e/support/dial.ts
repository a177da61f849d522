import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A value that a gate can look at with `http.get`, and that the test turns. */
export interface Dial {
  readonly url: string;
  set(value: number): void;
}

/** Serves `{"value": N}` on loopback until the test is over. */
export async function dial(first: number): Promise<Dial> {
  let value = first;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    set(next) {
      value = next;
    },
  };
}

/** A gate that waits for the dial to come down to `atMost`. */
export function dialGate(id: string, { url }: Dial, more = ''): string {
  return `- id: ${id}
  hosts: first
  gate:
    probe: http.get
    with: { url: "${url}" }
    until: { body.value: { atMost: 0 } }
    for: 400ms
    every: 200ms
${more.replace(/^(?=.)/gm, '    ')}`;
}
