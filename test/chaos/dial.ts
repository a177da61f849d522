import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Janitor } from '../lab/janitor.ts';

/** So often a gate is told that it is not yet so. */
const NOT_YET = 2;

/** What gates ask: on each path the first answers are 1, all later ones 0. @returns where it is asked, ending in `/`. */
export async function openDial(janitor: Janitor): Promise<string> {
  const asked = new Map<string, number>();
  const server = createServer(({ url = '' }, response) => {
    const times = (asked.get(url) ?? 0) + 1;
    asked.set(url, times);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ value: times <= NOT_YET ? 1 : 0 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  janitor.add('dial', async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/`;
}
