import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Cluster } from './cluster/cluster.ts';

/** What repairs things by itself: starts the services of the source when an alert comes, unless it is turned off. */
export interface Remediation {
  readonly url: string;
  enabled: boolean;
  /** How often it was called. */
  called: number;
  close(): Promise<void>;
}

export async function serveRemediation(cluster: Cluster): Promise<Remediation> {
  const server = createServer(async (request, response) => {
    if (request.url === '/alert') {
      made.called += 1;
      if (made.enabled) cluster.scale('crud', 1);
    } else if (request.method === 'PUT') made.enabled = Object(await json(request)).enabled === true;
    response.end(JSON.stringify({ enabled: made.enabled }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made: Remediation = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    enabled: true,
    called: 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return made;
}
